"""What a pass writes: creation, replacement, upgrades, repair, deletion, and nothing needless."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from builders import NodeBuilder, PerformerBuilder, PodBuilder, node, performer, pod_of
from hourglass_operator.resources import names
from scene import calls, scene

NOW = 1000.0
V1 = performer("ml")
V2 = V1.image("avs/performer:v2")
V3 = V1.image("avs/performer:v3")
SERVED_V1 = {"servingTemplateHash": V1.hash, "templateHash": V2.hash}
UPGRADE = V2.with_status(**SERVED_V1)
RECREATE = V2.strategy("Recreate").with_status(**SERVED_V1)
ROLLING = V2.strategy("RollingUpdate").with_status(**SERVED_V1)


def bound(owner: PerformerBuilder, node_name: str = "node-1") -> PodBuilder:
    return pod_of(owner).on(node_name)


OLD = bound(V1).ready()
NEW = bound(V2)

GPU1 = performer("ml").gpu("nvidia-a100", 2)
GPU2 = GPU1.image("avs/performer:v2").with_status(servingTemplateHash=GPU1.hash)
GPU_OLD = pod_of(GPU1).on("gpu-1").ready()
GPU_NEW = pod_of(GPU2).unschedulable("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
GPU_NODE = node("gpu-1").label("accelerator", "nvidia-a100").offers("nvidia.com/gpu", 2)
BIGGER = performer("ml").gpu("nvidia-a100", 3).with_status(servingTemplateHash=GPU1.hash)
BIGGER_NEW = pod_of(BIGGER).unschedulable("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")


@dataclass(frozen=True)
class Case:
    """A cluster and the calls that must be made."""

    situation: str
    performer: PerformerBuilder
    pods: list[PodBuilder]
    calls: list[str]
    serving: list[PodBuilder] = field(default_factory=list)
    nodes: list[NodeBuilder] = field(default_factory=lambda: [node("node-1")])
    service: bool = True
    now: float = NOW


def create(pod: PodBuilder) -> str:
    return f"create pods {pod.name}"


def delete(pod: PodBuilder) -> str:
    return f"delete pods {pod.name}"


CASES = [
    Case(
        "a new performer gets finalizer, service and pod",
        V1.bare(),
        [],
        ["patch performers ml", "create services performer-ml", create(pod_of(V1))],
        service=False,
    ),
    Case("a starting pod is left alone", V1, [bound(V1)], []),
    Case("a serving pod is left alone", V1, [OLD], [], serving=[OLD]),
    Case("a pod that went away is made again", V1, [], [create(pod_of(V1))]),
    Case(
        "a drained pod is replaced at once",
        V1,
        [OLD.deleting(1030)],
        [create(pod_of(V1).number(1))],
    ),
    Case(
        "an evicted pod that ran long is replaced at once and removed",
        V1,
        [bound(V1).failed("Evicted")],
        [create(pod_of(V1).number(1)), delete(OLD)],
    ),
    Case("a pod that was just refused waits", V1, [bound(V1).born(995).failed("OutOfcpu")], []),
    Case(
        "a refused pod is replaced when its back-off is over",
        V1,
        [bound(V1).born(990).failed("OutOfcpu")],
        [create(pod_of(V1).number(1)), delete(OLD)],
    ),
    Case(
        "the back-off doubles with each attempt",
        V1,
        [bound(V1).number(3).born(921).failed("OutOfcpu")],
        [],
    ),
    Case(
        "the fifth attempt follows after 80 seconds",
        V1,
        [bound(V1).number(3).born(920).failed("OutOfcpu")],
        [create(pod_of(V1).number(4)), delete(pod_of(V1).number(3))],
    ),
    Case(
        "a failed pod whose successor lives is removed",
        V1,
        [bound(V1).born(999).failed("Evicted"), bound(V1).number(1)],
        [delete(OLD)],
    ),
    Case(
        "of two pods the one that serves stays",
        V1,
        [OLD, bound(V1).number(1).ready()],
        [delete(pod_of(V1).number(1))],
        serving=[OLD],
    ),
    Case(
        "of two pods that do not serve the later one stays",
        V1,
        [bound(V1), bound(V1).number(1)],
        [delete(pod_of(V1))],
    ),
    Case("an upgrade makes the new pod first", UPGRADE, [OLD], [create(NEW)], serving=[OLD]),
    Case("an upgrade waits for the new pod", UPGRADE, [OLD, NEW], [], serving=[OLD]),
    Case(
        "an upgrade waits for the new endpoint",
        UPGRADE,
        [OLD, NEW.ready()],
        [],
        serving=[OLD],
    ),
    Case(
        "the old pod goes when the new one serves",
        UPGRADE,
        [OLD, NEW.ready()],
        [delete(OLD)],
        serving=[OLD, NEW],
    ),
    Case(
        "a rolling update keeps an old pod that is unready for a moment",
        ROLLING,
        [OLD.unready(990), NEW],
        [],
    ),
    Case(
        "a second change replaces the unfinished pod only",
        V3.with_status(**SERVED_V1),
        [OLD, NEW],
        [create(pod_of(V3)), delete(NEW)],
        serving=[OLD],
    ),
    Case(
        "a withdrawn upgrade removes the unfinished pod",
        V1.with_status(**SERVED_V1),
        [OLD, NEW],
        [delete(NEW)],
        serving=[OLD],
    ),
    Case(
        "a change of what never served removes it",
        V2.with_status(templateHash=V1.hash),
        [bound(V1)],
        [create(NEW), delete(OLD)],
    ),
    Case("recreate deletes first", RECREATE, [OLD], [delete(OLD)], serving=[OLD]),
    Case("recreate waits for the end", RECREATE, [OLD.deleting(1030)], []),
    Case("recreate creates when the old pod is gone", RECREATE, [], [create(NEW)]),
    Case(
        "recreate removes the old pod even if the new one is there",
        RECREATE,
        [OLD, NEW],
        [delete(OLD)],
        serving=[OLD],
    ),
    Case(
        "auto takes the GPUs from the old pod",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [delete(GPU_OLD)],
        serving=[GPU_OLD],
        nodes=[GPU_NODE],
    ),
    Case(
        "rolling update never takes the GPUs from the old pod",
        GPU2.strategy("RollingUpdate"),
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE],
    ),
    Case(
        "auto leaves the old pod while the scheduler has not spoken",
        GPU2,
        [GPU_OLD, pod_of(GPU2)],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE],
    ),
    Case(
        "auto leaves the old pod when its node is cordoned",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE.cordoned()],
    ),
    Case(
        "auto leaves the old pod when its node is not ready",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE.not_ready()],
    ),
    Case(
        "auto leaves the old pod when its node has a taint",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE.taint("maintenance")],
    ),
    Case(
        "auto leaves the old pod when its node offers too few GPUs",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE.offers("nvidia.com/gpu", 1)],
    ),
    Case(
        "auto leaves the old pod when the new one has another nodeSelector",
        GPU2.scheduling(nodeSelector={"zone": "b"}),
        [
            GPU_OLD,
            pod_of(GPU2.scheduling(nodeSelector={"zone": "b"})).unschedulable(
                "0/2 nodes are available: 1 Insufficient nvidia.com/gpu."
            ),
        ],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE],
    ),
    Case(
        "auto leaves the old pod when something else is short",
        GPU2,
        [GPU_OLD, pod_of(GPU2).unschedulable("0/1 nodes are available: 1 Insufficient cpu.")],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE.offers("nvidia.com/gpu", 8)],
    ),
    Case(
        "auto takes two GPUs from the old pod where one more is free",
        BIGGER,
        [GPU_OLD, BIGGER_NEW],
        [delete(GPU_OLD)],
        serving=[GPU_OLD],
        nodes=[GPU_NODE.offers("nvidia.com/gpu", 3)],
    ),
    Case(
        "auto leaves the old pod when even its GPUs are too few",
        BIGGER,
        [GPU_OLD, BIGGER_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE],
    ),
    Case(
        "auto leaves the old pod when others seem to use the rest",
        BIGGER,
        [GPU_OLD, BIGGER_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[GPU_NODE.offers("nvidia.com/gpu", 8)],
    ),
    Case(
        "a lost label is given back",
        V1,
        [OLD.without_label("app")],
        [f"patch pods {OLD.name}"],
        serving=[OLD],
    ),
    Case(
        "a lost owner reference is given back",
        V1,
        [OLD.orphaned()],
        [f"patch pods {OLD.name}"],
        serving=[OLD],
    ),
    Case(
        "a pod of another owner is not touched",
        V1,
        [OLD.controlled_by("somebody")],
        [create(OLD)],
        serving=[OLD],
    ),
    Case(
        "a deleted service is made again",
        V1,
        [OLD],
        ["create services performer-ml"],
        serving=[OLD],
        service=False,
    ),
    Case("a deleted performer deletes its pod", V1.deleting(NOW), [OLD], [delete(OLD)]),
    Case("a deleted performer waits for its pod", V1.deleting(NOW), [OLD.deleting(1030)], []),
    Case(
        "a deleted performer without pods is released",
        V1.deleting(NOW),
        [],
        ["patch performers ml"],
    ),
    Case(
        "a pod that does not end is waited for 59 seconds past its grace period",
        V1.deleting(900),
        [OLD.deleting(941)],
        [],
    ),
    Case(
        "a pod that does not end is waited for no longer than 60 seconds past its grace period",
        V1.deleting(900),
        [OLD.deleting(940)],
        ["patch performers ml"],
    ),
    Case(
        "a deletion that others hold up is left to them",
        V1.held_by("other/finalizer").deleting(NOW),
        [OLD],
        [],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_calls(case: Case) -> None:
    staged = scene(
        case.performer,
        *case.pods,
        serving=case.serving,
        nodes=case.nodes,
        service=case.service,
    )
    assert calls(staged.plan(case.now)) == case.calls


def bodies(performer: PerformerBuilder, *pods: PodBuilder, **more: Iterable[PodBuilder]) -> list:  # type: ignore[type-arg]
    return [write.body for write in scene(performer, *pods, **more).plan(NOW).writes]  # type: ignore[arg-type]


def test_the_finalizer_joins_those_of_others() -> None:
    held = V1.held_by("other/finalizer")
    body = bodies(held)[0]
    assert body["metadata"]["finalizers"] == ["other/finalizer", names.FINALIZER]
    assert body["metadata"]["resourceVersion"]


def test_the_finalizer_leaves_those_of_others() -> None:
    body = bodies(V1.held_by("other/finalizer", names.FINALIZER).deleting(NOW))[0]
    assert body["metadata"]["finalizers"] == ["other/finalizer"]


def test_a_pod_is_deleted_by_its_uid() -> None:
    body = bodies(V1.deleting(NOW), OLD)[0]
    assert body == {"preconditions": {"uid": f"{OLD.name}-uid"}}


def test_a_repair_gives_back_what_is_lost_and_nothing_else() -> None:
    body = bodies(V1, OLD.without_label("app"), serving=[OLD])[0]
    assert body == {"metadata": {"labels": {"app": "performer"}}}


def test_a_changed_port_is_repaired_in_place() -> None:
    changed = V1.config(grpcPort=8080)
    staged = scene(changed.with_status(servingTemplateHash=V1.hash), OLD, serving=[OLD])
    staged.sees("services", V1.service())
    repair = next(w for w in staged.plan(NOW).writes if w.resource == "services")
    assert (repair.verb, repair.body["spec"]["ports"][0]["port"]) == ("patch", 8080)
