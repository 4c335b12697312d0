"""Explanations are shared, and made anew only when something that they depend on has changed."""

import pytest

from builders import NodeBuilder, performer, pod_of
from hourglass_operator.hardware.explain import explain
from scene import Scene, scene
from situations import GPU, GPU_NODE, NOW

SHORT = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
WAITING = pod_of(GPU).unschedulable(SHORT)
KEY = (GPU.namespace, "other")


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scheduler's messages that were explained."""
    made: list[str] = []

    def counting(*args: object) -> object:
        made.append(str(args[-1]))
        return explain(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("hourglass_operator.controller.explanations.explain", counting)
    return made


def staged(*nodes: NodeBuilder) -> Scene:
    """A Performer whose pod waits has been explained."""
    waiting = scene(GPU, WAITING, nodes=nodes or [GPU_NODE])
    waiting.plan(NOW)
    return waiting


def test_another_performer_that_asks_for_the_same_shares_it(explained: list[str]) -> None:
    waiting = staged()
    other = performer("other").gpu("nvidia-a100", 2).deadline(99).config(grpcPort=1234)
    waiting.sees("performers", other.build())
    waiting.sees("pods", pod_of(other).unschedulable(SHORT).build())
    memory = waiting.controller.plan(KEY, NOW).memory
    assert len(explained) == 1
    assert memory.pending_status is not None


def test_another_performer_with_other_constraints_does_not(explained: list[str]) -> None:
    waiting = staged()
    other = performer("other").gpu("nvidia-a100", 2).scheduling(nodeSelector={"zone": "b"})
    waiting.sees("performers", other.build())
    waiting.sees("pods", pod_of(other).unschedulable(SHORT).build())
    waiting.controller.plan(KEY, NOW)
    assert len(explained) == 2


def changed(waiting: Scene, what: str) -> None:
    third = performer("third").gpu("nvidia-a100", 1)
    match what:
        case "a node":
            waiting.sees("nodes", GPU_NODE.cordoned().build())
        case "a node's heartbeat":
            waiting.sees("nodes", GPU_NODE.build())
        case "the use of a device":
            waiting.sees("pods", pod_of(third).on("gpu-1").build())
        case "a pod without devices":
            waiting.sees("pods", pod_of(performer("third")).on("gpu-1").build())
        case "the scheduler's message":
            waiting.sees("pods", pod_of(GPU).unschedulable("0/1 nodes are available.").build())


@pytest.mark.parametrize(
    ("what", "times"),
    [
        ("a node", 2),
        ("the use of a device", 2),
        ("the scheduler's message", 2),
        ("a node's heartbeat", 1),
        ("a pod without devices", 1),
    ],
)
def test_it_is_made_anew_after_a_change_of(explained: list[str], what: str, times: int) -> None:
    waiting = staged()
    changed(waiting, what)
    waiting.plan(NOW)
    assert len(explained) == times
