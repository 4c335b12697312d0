"""When a pass asks for the next one."""

import pytest

from builders import PerformerBuilder, PodBuilder, node, pod_of
from hourglass_operator.controller import Settings
from scene import scene
from situations import AT_ONCE, NOW, V1

POD = pod_of(V1).on("node-1")
SERVING = POD.ready()

WAKES = [
    (
        "the progress deadline",
        V1.with_status(templateHash=V1.hash, progressStartTime="1970-01-01T00:16:00Z"),
        [POD],
        AT_ONCE,
        960.0 + 600,
    ),
    ("a deadline of its own", V1.deadline(100), [POD], AT_ONCE, NOW + 100),
    ("the status that is held back", V1, [POD], Settings(), NOW + 2),
    ("the end of a replacement's back-off", V1, [POD.born(995).failed("OutOfcpu")], AT_ONCE, 1005),
    (
        "the end of the grace period of a pod that is waited for",
        V1.deleting(990),
        [SERVING.deleting(1020)],
        AT_ONCE,
        1020,
    ),
    (
        "the end of patience with a pod that does not end",
        V1.deleting(940),
        [SERVING.deleting(970)],
        AT_ONCE,
        1030,
    ),
]


@pytest.mark.parametrize(
    ("of", "pods", "settings", "requeue_at"), [w[1:] for w in WAKES], ids=[w[0] for w in WAKES]
)
def test_it_looks_again_at(
    of: PerformerBuilder, pods: list[PodBuilder], settings: Settings, requeue_at: float
) -> None:
    plan = scene(of, *pods, settings=settings, nodes=[node("node-1")]).plan(NOW)
    assert plan.requeue_after == requeue_at - NOW
