"""Whose waiting pod could take what an old pod would free."""

from dataclasses import dataclass, replace

import pytest

from builders import NodeBuilder, PerformerBuilder, PodBuilder, performer, pod_of
from hourglass_operator.controller import Outcome, Plan
from scene import Scene, calls, scene, status_of
from situations import AT_ONCE, GPU_NODE, NOW

SHORT = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
NO_CPU = "0/1 nodes are available: 1 Insufficient cpu."
V1 = performer("ml").gpu("nvidia-a100", 2)
V2 = V1.image("avs/performer:v2").with_status(servingTemplateHash=V1.hash)
OLD = pod_of(V1).on("gpu-1").ready()
NEW = pod_of(V2).born(900).unschedulable(SHORT)
NODE = GPU_NODE.offers("nvidia.com/gpu", 2)


def other(namespace: str = "other") -> PerformerBuilder:
    of = performer("rival").gpu("nvidia-a100", 1)
    return replace(of, namespace=namespace, uid="uid-rival")


RIVAL = other()
WAITING = pod_of(RIVAL).born(800).unschedulable(SHORT)


@dataclass(frozen=True)
class Case:
    situation: str
    rival: PerformerBuilder
    pods: list[PodBuilder]
    competitor: str
    new: PodBuilder = NEW
    node: NodeBuilder = NODE


def waits(of: PerformerBuilder, born: float = 800, message: str = SHORT) -> list[PodBuilder]:
    return [pod_of(of).born(born).unschedulable(message)]


CASES = [
    Case("a pod that has waited for longer", RIVAL, [WAITING], "other/rival"),
    Case("a pod of the same namespace", other("avs"), waits(other("avs")), "avs/rival"),
    Case(
        "a pod that the scheduler has not tried yet",
        RIVAL,
        [pod_of(RIVAL).born(800)],
        "other/rival",
    ),
    Case("a pod that came later", RIVAL, waits(RIVAL, born=901), ""),
    Case(
        "a more important pod that came later",
        RIVAL,
        [WAITING.born(901).important(10)],
        "other/rival",
    ),
    Case("a less important pod", RIVAL, [WAITING], "", new=NEW.important(10)),
    Case(
        "a less important pod, when the new one may not preempt it",
        RIVAL,
        [WAITING],
        "other/rival",
        new=NEW.important(10, "Never"),
    ),
    Case(
        "a pod that a scheduling gate holds back",
        RIVAL,
        [pod_of(RIVAL).born(800).held_by_gates("q")],
        "",
    ),
    Case("a pod that is being deleted", RIVAL, [WAITING.deleting(1030)], ""),
    Case("a pod that was refused", RIVAL, [pod_of(RIVAL).born(800).failed("OutOfcpu")], ""),
    Case("a pod that has a node", RIVAL, [pod_of(RIVAL).on("gpu-2")], ""),
    Case("a pod that asks for no GPU", replace(RIVAL, spec=performer("x").spec), [], ""),
    Case(
        "a pod that asks for more than there will be",
        RIVAL.gpu("nvidia-a100", 3),
        waits(RIVAL.gpu("nvidia-a100", 3)),
        "",
    ),
    Case(
        "a pod that wants another GPU",
        RIVAL.gpu("nvidia-h100", 1),
        waits(RIVAL.gpu("nvidia-h100", 1)),
        "",
    ),
    Case(
        "a pod that selects other nodes",
        RIVAL.scheduling(nodeSelector={"zone": "b"}),
        waits(RIVAL.scheduling(nodeSelector={"zone": "b"})),
        "",
    ),
    Case(
        "a pod that does not tolerate the node's taint",
        RIVAL,
        [WAITING],
        "",
        node=NODE.taint("only", "preferred", "PreferNoSchedule").taint("dedicated"),
        new=NEW,
    ),
    Case(
        "a pod that asks for more CPU than the node has",
        RIVAL.resources(requests={"cpu": "9"}),
        waits(RIVAL.resources(requests={"cpu": "9"})),
        "",
    ),
    Case(
        "a pod of a template that is no longer its Performer's",
        RIVAL.image("avs/performer:v9"),
        [WAITING],
        "other/rival",
    ),
    Case(
        "a pod that waits for CPU",
        replace(RIVAL, spec=performer("x").resources(requests={"cpu": "4"}).spec),
        waits(
            replace(RIVAL, spec=performer("x").resources(requests={"cpu": "4"}).spec),
            message=NO_CPU,
        ),
        "other/rival",
    ),
]


def staged(case: Case) -> Scene:
    tolerations = [{"operator": "Exists"}]
    v1, v2 = V1.scheduling(tolerations=tolerations), V2.scheduling(tolerations=tolerations)
    v2 = v2.with_status(servingTemplateHash=v1.hash)
    old, new = replace(OLD, owner=v1), replace(case.new, owner=v2)
    made = scene(v2, old, new, serving=[old], nodes=[case.node], settings=AT_ONCE)
    made.sees("performers", case.rival.build(), event="ADDED")
    for pod in case.pods:
        made.sees("pods", pod.build(), event="ADDED")
    return made


def degraded(plan: Plan) -> str:
    conditions = status_of(plan)["conditions"]
    return str(next(c["message"] for c in conditions if c["type"] == "Degraded"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_auto_gives_the_gpu_up_only_for_certain(case: Case) -> None:
    plan = staged(case).plan(NOW)
    deleted = [call for call in calls(plan) if call.startswith("delete")]
    assert bool(deleted) == (not case.competitor)
    words = f"Performer {case.competitor} waits for the same"
    assert (words in degraded(plan)) == bool(case.competitor)


def test_the_pod_that_the_operator_saw_first_goes_first_within_a_second() -> None:
    case = Case("", RIVAL, [WAITING.born(900)], "")
    assert any(call.startswith("delete") for call in calls(staged(case).plan(NOW)))


def test_the_upgrade_goes_on_as_soon_as_nobody_else_waits() -> None:
    waiting = staged(Case("", RIVAL, [WAITING], "other/rival"))
    controller = waiting.controller
    while (due := controller.take(NOW)) is not None:
        controller.finish(due, [Outcome(write, 200) for write in due.plan.writes], NOW)
    waiting.sees("pods", WAITING.build(), event="DELETED", now=NOW)
    made: dict[tuple[str, str], list[str]] = {}
    while (due := controller.take(NOW)) is not None:
        made[due.key] = calls(due.plan)
    assert any(call.startswith("delete") for call in made[waiting.key])
