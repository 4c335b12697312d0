"""How pods come and go: creation, replacement and clean-up."""

import pytest

from builders import NodeBuilder, PodBuilder, node, performer, pod_of
from scene import scene
from situations import NOW, OLD, V1, CallsCase, assert_calls, bound


def create(pod: PodBuilder) -> str:
    return f"create pods {pod.name}"


def delete(pod: PodBuilder) -> str:
    return f"delete pods {pod.name}"


CASES = [
    CallsCase(
        "a new performer gets finalizer, service and pod",
        V1.bare(),
        [],
        ["patch performers ml", "create services performer-ml", create(pod_of(V1))],
        service=False,
    ),
    CallsCase(
        "what is kept of an earlier performer's pod is passed over",
        V1.with_uid("uid-2"),
        [OLD.controlled_by("uid-1").succeeded().deleting(1030).kept_by("example.com/audit")],
        [create(pod_of(V1).number(1))],
    ),
    CallsCase(
        "an earlier performer's pod that has not ended keeps its name",
        V1.with_uid("uid-2"),
        [OLD.controlled_by("uid-1").deleting(1030)],
        [create(pod_of(V1))],
    ),
    CallsCase("a starting pod is left alone", V1, [bound(V1)], []),
    CallsCase("a serving pod is left alone", V1, [OLD], [], serving=[OLD]),
    CallsCase("a pod that went away is made again", V1, [], [create(pod_of(V1))]),
    CallsCase(
        "a drained pod is replaced at once",
        V1,
        [OLD.deleting(1030)],
        [create(pod_of(V1).number(1))],
    ),
    CallsCase(
        "an evicted pod that ran long is replaced at once and removed",
        V1,
        [bound(V1).failed("Evicted")],
        [create(pod_of(V1).number(1)), delete(OLD)],
    ),
    CallsCase(
        "a pod that was just refused waits", V1, [bound(V1).born(995).failed("OutOfcpu")], []
    ),
    CallsCase(
        "a refused pod is replaced when its back-off is over",
        V1,
        [bound(V1).born(990).failed("OutOfcpu")],
        [create(pod_of(V1).number(1)), delete(OLD)],
    ),
    CallsCase(
        "a refused pod that is being deleted already is replaced at once",
        V1,
        [bound(V1).born(995).failed("OutOfcpu").deleting(1030)],
        [create(pod_of(V1).number(1))],
    ),
    CallsCase(
        "the back-off doubles with each attempt",
        V1,
        [bound(V1).number(3).born(921).failed("OutOfcpu")],
        [],
    ),
    CallsCase(
        "the fifth attempt follows after 80 seconds",
        V1,
        [bound(V1).number(3).born(920).failed("OutOfcpu")],
        [create(pod_of(V1).number(4)), delete(pod_of(V1).number(3))],
    ),
    CallsCase(
        "a failed pod whose successor lives is removed",
        V1,
        [bound(V1).born(999).failed("Evicted"), bound(V1).number(1)],
        [delete(OLD)],
    ),
    CallsCase(
        "of two pods the one that serves stays",
        V1,
        [OLD, bound(V1).number(1).ready()],
        [delete(pod_of(V1).number(1))],
        serving=[OLD],
    ),
    CallsCase(
        "of two pods that do not serve the later one stays",
        V1,
        [bound(V1), bound(V1).number(1)],
        [delete(pod_of(V1))],
    ),
]


SLICE = performer("ml").gpu("a100-mig-1g.5gb")
WAITING = pod_of(SLICE).unschedulable("0/1 nodes are available: 1 Insufficient x.")
SINGLE = (
    node("single")
    .label("nvidia.com/gpu.product", "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb")
    .offers("nvidia.com/gpu", 7)
)
MIXED = (
    node("mixed")
    .label("nvidia.com/mig-1g.5gb.product", "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb")
    .offers("nvidia.com/mig-1g.5gb", 7)
)
CASES += [
    CallsCase(
        "a pod waits for slices of the name it asks for",
        SLICE,
        [WAITING],
        [],
        nodes=[MIXED, SINGLE],
    ),
    CallsCase("a pod waits while no node has slices", SLICE, [WAITING], [], nodes=[]),
    CallsCase(
        "a pod that asks for slices by a name that no node has makes room for another",
        SLICE,
        [WAITING],
        [delete(WAITING)],
        nodes=[SINGLE],
    ),
    CallsCase(
        "a pod with slices stays though its node calls them otherwise by now",
        SLICE,
        [pod_of(SLICE).on("single").ready()],
        [],
        serving=[pod_of(SLICE).on("single").ready()],
        nodes=[SINGLE],
    ),
]


@pytest.mark.parametrize(
    ("nodes", "resource"),
    [
        ([], "nvidia.com/mig-1g.5gb"),
        ([SINGLE], "nvidia.com/gpu"),
        ([MIXED], "nvidia.com/mig-1g.5gb"),
        ([SINGLE, MIXED], "nvidia.com/mig-1g.5gb"),
    ],
    ids=["no nodes", "strategy single", "strategy mixed", "both"],
)
def test_a_new_pod_asks_for_slices_as_the_nodes_name_them(
    nodes: list[NodeBuilder], resource: str
) -> None:
    plan = scene(SLICE, nodes=nodes, service=True).plan(NOW)
    (pod,) = [write.body for write in plan.writes if write.resource == "pods"]
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {resource: "1"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_calls(case: CallsCase) -> None:
    assert_calls(case)


def test_a_pod_is_deleted_by_its_uid() -> None:
    body = scene(V1.deleting(NOW), OLD).plan(NOW).writes[0].body
    assert body == {"preconditions": {"uid": f"{OLD.name}-uid"}}
