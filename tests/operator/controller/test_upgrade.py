"""How a change of the template reaches the pod."""

import pytest

from builders import PerformerBuilder, PodBuilder, node, performer, pod_of
from scene import scene
from situations import GPU, GPU_NODE, NOW, OLD, V1, V2, CallsCase, assert_calls, bound

V3 = V1.image("avs/performer:v3")
SERVED_V1 = {"servingTemplateHash": V1.hash, "templateHash": V2.hash}
UPGRADE = V2.with_status(**SERVED_V1)
RECREATE = V2.strategy("Recreate").with_status(**SERVED_V1)
ROLLING = V2.strategy("RollingUpdate").with_status(**SERVED_V1)
NEW = bound(V2)
SECOND = pod_of(V1).number(1).on("node-2").ready()

GPU1 = GPU
GPU2 = GPU1.image("avs/performer:v2").with_status(servingTemplateHash=GPU1.hash)
GPU_OLD = pod_of(GPU1).on("gpu-1").ready()
GPU_NEW = pod_of(GPU2).unschedulable("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
TWO_GPUS = GPU_NODE.offers("nvidia.com/gpu", 2)
BIGGER = performer("ml").gpu("nvidia-a100", 3).with_status(servingTemplateHash=GPU1.hash)
BIGGER_NEW = pod_of(BIGGER).unschedulable("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")


def create(pod: PodBuilder) -> str:
    return f"create pods {pod.name}"


def delete(pod: PodBuilder) -> str:
    return f"delete pods {pod.name}"


CASES = [
    CallsCase("an upgrade makes the new pod first", UPGRADE, [OLD], [create(NEW)], serving=[OLD]),
    CallsCase("an upgrade waits for the new pod", UPGRADE, [OLD, NEW], [], serving=[OLD]),
    CallsCase(
        "an upgrade waits for the new endpoint",
        UPGRADE,
        [OLD, NEW.ready()],
        [],
        serving=[OLD],
    ),
    CallsCase(
        "the old pod goes when the new one serves",
        UPGRADE,
        [OLD, NEW.ready()],
        [delete(OLD)],
        serving=[OLD, NEW],
    ),
    CallsCase(
        "a rolling update keeps an old pod that is unready for a moment",
        ROLLING,
        [OLD.unready(990), NEW],
        [],
    ),
    CallsCase(
        "a recreate keeps what serves while the end of a lost pod is unknown",
        RECREATE,
        [OLD.deleting(900), SECOND],
        [],
        serving=[SECOND],
        nodes=[node("node-1").not_ready(), node("node-2")],
    ),
    CallsCase(
        "a recreate goes on when the node of the lost pod is back",
        RECREATE,
        [OLD.deleting(900), SECOND],
        [delete(SECOND)],
        serving=[SECOND],
        nodes=[node("node-1"), node("node-2")],
    ),
    CallsCase(
        "a second change replaces the unfinished pod only",
        V3.with_status(**SERVED_V1),
        [OLD, NEW],
        [create(pod_of(V3)), delete(NEW)],
        serving=[OLD],
    ),
    CallsCase(
        "a withdrawn upgrade removes the unfinished pod",
        V1.with_status(**SERVED_V1),
        [OLD, NEW],
        [delete(NEW)],
        serving=[OLD],
    ),
    CallsCase(
        "a change of what never served removes it",
        V2.with_status(templateHash=V1.hash),
        [bound(V1)],
        [create(NEW), delete(OLD)],
    ),
    CallsCase(
        "a ready pod that no endpoint shows yet stays until the new one serves",
        V2.with_status(templateHash=V1.hash),
        [OLD],
        [create(NEW)],
    ),
    CallsCase(
        "a ready pod that no endpoint shows yet stays beside the new one",
        V2.with_status(templateHash=V1.hash),
        [OLD, NEW],
        [],
    ),
    CallsCase(
        "a rolling update keeps a ready pod that no endpoint shows yet",
        V2.strategy("RollingUpdate").with_status(templateHash=V1.hash),
        [OLD],
        [create(NEW)],
    ),
    CallsCase(
        "a second change keeps a new pod that is Ready while no endpoint has been seen",
        V3.with_status(templateHash=V2.hash),
        [OLD, NEW.ready()],
        [create(pod_of(V3))],
    ),
    CallsCase(
        "recreate takes a ready pod that no endpoint shows yet",
        V2.strategy("Recreate").with_status(templateHash=V1.hash),
        [OLD],
        [delete(OLD)],
    ),
    CallsCase("recreate deletes first", RECREATE, [OLD], [delete(OLD)], serving=[OLD]),
    CallsCase("recreate waits for the end", RECREATE, [OLD.deleting(1030)], []),
    CallsCase("recreate creates when the old pod is gone", RECREATE, [], [create(NEW)]),
    CallsCase(
        "recreate creates when the old pod has ended and a finalizer of others keeps it",
        RECREATE,
        [OLD.succeeded().deleting(1030).kept_by("example.com/audit")],
        [create(NEW)],
    ),
    CallsCase(
        "recreate creates when the old pod was evicted, and removes it",
        RECREATE,
        [OLD.failed("Evicted")],
        [create(NEW), delete(OLD)],
    ),
    CallsCase(
        "recreate creates when the old pod goes without ever having had a node",
        RECREATE,
        [pod_of(V1).deleting(1030).kept_by("example.com/audit")],
        [create(NEW)],
    ),
    CallsCase(
        "recreate waits for the end although its grace period is over",
        RECREATE,
        [OLD.deleting(900).kept_by("example.com/audit")],
        [],
    ),
    CallsCase(
        "recreate of a template whose ended pod is kept gives the next number",
        RECREATE,
        [NEW.succeeded().deleting(1030).kept_by("example.com/audit")],
        [create(NEW.number(1))],
    ),
    CallsCase(
        "recreate removes the old pod even if the new one is there",
        RECREATE,
        [OLD, NEW],
        [delete(OLD)],
        serving=[OLD],
    ),
    CallsCase(
        "auto takes the GPUs from the old pod",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [delete(GPU_OLD)],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS],
    ),
    CallsCase(
        "auto leaves the old pod while less important ones make room",
        GPU2,
        [GPU_OLD, GPU_NEW.nominated_for("gpu-2")],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS],
    ),
    CallsCase(
        "rolling update never takes the GPUs from the old pod",
        GPU2.strategy("RollingUpdate"),
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS],
    ),
    CallsCase(
        "auto leaves the old pod while the scheduler has not spoken",
        GPU2,
        [GPU_OLD, pod_of(GPU2)],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS],
    ),
    CallsCase(
        "auto leaves the old pod when its node is cordoned",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS.cordoned()],
    ),
    CallsCase(
        "auto leaves the old pod when its node is not ready",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS.not_ready()],
    ),
    CallsCase(
        "auto leaves the old pod when its node has a taint",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS.taint("maintenance")],
    ),
    CallsCase(
        "auto leaves the old pod when its node offers too few GPUs",
        GPU2,
        [GPU_OLD, GPU_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS.offers("nvidia.com/gpu", 1)],
    ),
    CallsCase(
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
        nodes=[TWO_GPUS],
    ),
    CallsCase(
        "auto leaves the old pod when something else is short",
        GPU2,
        [GPU_OLD, pod_of(GPU2).unschedulable("0/1 nodes are available: 1 Insufficient cpu.")],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS.offers("nvidia.com/gpu", 8)],
    ),
    CallsCase(
        "auto leaves the old pod when another resource of a longer name is short",
        GPU2,
        [GPU_OLD, pod_of(GPU2).unschedulable("0/1 nodes: 1 Insufficient nvidia.com/gpu.shared.")],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS],
    ),
    CallsCase(
        "auto takes two GPUs from the old pod where one more is free",
        BIGGER,
        [GPU_OLD, BIGGER_NEW],
        [delete(GPU_OLD)],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS.offers("nvidia.com/gpu", 3)],
    ),
    CallsCase(
        "auto leaves the old pod when even its GPUs are too few",
        BIGGER,
        [GPU_OLD, BIGGER_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS],
    ),
    CallsCase(
        "auto leaves the old pod when others seem to use the rest",
        BIGGER,
        [GPU_OLD, BIGGER_NEW],
        [],
        serving=[GPU_OLD],
        nodes=[TWO_GPUS.offers("nvidia.com/gpu", 8)],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_calls(case: CallsCase) -> None:
    assert_calls(case)


PRECONDITIONS = [
    (
        "what never served goes unless it has changed since it was seen",
        V2.with_status(templateHash=V1.hash),
        [bound(V1)],
        [],
        ["resourceVersion", "uid"],
    ),
    (
        "an unfinished pod goes unless it has changed since it was seen",
        V3.with_status(**SERVED_V1),
        [OLD, NEW, pod_of(V3)],
        [OLD],
        ["resourceVersion", "uid"],
    ),
    ("the old pod goes once the new one serves", UPGRADE, [OLD, NEW.ready()], [NEW], ["uid"]),
    ("recreate takes the pod as it is by then", RECREATE, [OLD], [OLD], ["uid"]),
]


@pytest.mark.parametrize(
    ("of", "pods", "serving", "expected"),
    [p[1:] for p in PRECONDITIONS],
    ids=[p[0] for p in PRECONDITIONS],
)
def test_preconditions_of_a_deletion(
    of: PerformerBuilder, pods: list[PodBuilder], serving: list[PodBuilder], expected: list[str]
) -> None:
    plan = scene(of, *pods, serving=serving).plan(NOW)
    bodies = [write.body for write in plan.writes if write.verb == "delete"]
    assert [sorted(body["preconditions"]) for body in bodies] == [expected]
