"""What the end of pods waits for, in words."""

from dataclasses import dataclass, field

import pytest

from builders import NodeBuilder, PerformerBuilder, PodBuilder, node, pod_of
from scene import scene, status_of
from situations import AT_ONCE, GPU, GPU_NODE, NOW, OLD, V1, V2

RECREATE = V2.strategy("Recreate").with_status(servingTemplateHash=V1.hash, templateHash=V2.hash)
DELETED = V1.deleting(990)
GPU2 = GPU.image("avs/performer:v2").with_status(servingTemplateHash=GPU.hash)
GPU_OLD = pod_of(GPU).on("gpu-1").ready()
GPU_NEW = pod_of(GPU2).unschedulable("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")


@dataclass(frozen=True)
class Case:
    situation: str
    performer: PerformerBuilder
    pods: list[PodBuilder]
    says: str
    nodes: list[NodeBuilder] = field(default_factory=lambda: [node("node-1")])


CASES = [
    Case(
        "a grace period",
        RECREATE,
        [OLD.deleting(1030)],
        f"waiting for the end of pod {OLD.name}: its grace period is 35 s",
    ),
    Case(
        "a kubelet that does not end it",
        RECREATE,
        [OLD.deleting(970)],
        f"waiting for the end of pod {OLD.name}: its grace period ended at 1970-01-01T00:16:10Z,"
        " and node node-1 has not ended it",
    ),
    Case(
        "a node that is not ready",
        RECREATE,
        [OLD.deleting(970)],
        f"waiting for the end of pod {OLD.name}: its node node-1 is not ready",
        [node("node-1").not_ready()],
    ),
    Case(
        "a node that is gone",
        RECREATE,
        [OLD.deleting(1030)],
        f"waiting for the end of pod {OLD.name}: its node node-1 is gone",
        [],
    ),
    Case(
        "a deletion, of two pods",
        DELETED,
        [OLD.deleting(1030), pod_of(V1).number(1).on("node-1").succeeded().deleting(1030)],
        f"waiting for the end of pod {OLD.name}: its grace period is 35 s,"
        f" pod {pod_of(V1).number(1).name}",
    ),
    Case(
        "somebody else's finalizer on the Performer",
        DELETED.held_by("example.com/backup"),
        [OLD.succeeded().deleting(1030).kept_by("example.com/audit", "example.com/log")],
        f"pod {OLD.name} has ended, finalizers example.com/audit, example.com/log keep its object",
    ),
    Case(
        "the hardware that the old pod holds",
        GPU2,
        [GPU_OLD.deleting(1030), GPU_NEW],
        f"waiting for the end of pod {GPU_OLD.name}: its grace period is 35 s;"
        " needs 2 × nvidia-a100",
        [GPU_NODE.offers("nvidia.com/gpu", 2)],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_the_message_names(case: Case) -> None:
    staged = scene(case.performer, *case.pods, nodes=case.nodes, settings=AT_ONCE)
    if case.performer.deleted is not None:
        staged.succeed(staged.plan(NOW), NOW)
    message = status_of(staged.plan(NOW))["conditions"][-1]["message"]
    assert message.startswith(case.says)


def test_the_grace_period_is_written_once() -> None:
    staged = scene(V1.deleting(NOW), OLD, serving=[OLD], settings=AT_ONCE)
    first = status_of(staged.plan(NOW))["conditions"][-1]["message"]
    staged.succeed(staged.plan(NOW), NOW)
    staged.sees("pods", OLD.deleting(NOW + 35).build())
    assert status_of(staged.plan(NOW + 20))["conditions"][-1]["message"] == first
