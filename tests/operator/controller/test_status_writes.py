"""When the status is written, what of it, what is told along with it, and when to look again."""

import pytest

from builders import PerformerBuilder, PodBuilder, node, performer, pod_of
from hourglass_operator.controller import Settings
from scene import Scene, scene, status_of

NOW = 1000.0
V1 = performer("ml")
V2 = V1.image("avs/performer:v2")
POD = pod_of(V1).on("node-1")
SERVING = POD.ready()
AT_ONCE = Settings(status_delay=0.0)


def written(staged: Scene, now: float = NOW) -> list[str]:
    """Resources of the status and Event writes, in order."""
    writes = staged.plan(now).writes
    return [w.resource for w in writes if w.subresource == "status" or w.resource == "events"]


def settled(
    of: PerformerBuilder, *pods: PodBuilder, serving: tuple[PodBuilder, ...] = ()
) -> PerformerBuilder:
    """The Performer with the status that the operator gives it in this scene."""
    plan = scene(of, *pods, serving=serving, settings=AT_ONCE).plan(NOW)
    return of.with_status(**status_of(plan, of.status))


def events(staged: Scene, now: float = NOW) -> list[tuple[str, str]]:
    bodies = [w.body for w in staged.plan(now).writes if w.resource == "events"]
    return [(body["type"], body["reason"]) for body in bodies]


def test_a_change_within_a_phase_is_held_back_for_a_second() -> None:
    staged = scene(V1, POD)
    plan = staged.plan(NOW)
    assert (written(staged), plan.wake_at) == ([], NOW + 1)
    staged.answer_nothing(plan, NOW)
    assert written(staged, NOW + 0.5) == []
    assert written(staged, NOW + 1) == ["performers"]


def test_a_change_that_is_taken_back_meanwhile_is_not_written() -> None:
    starting = settled(V1, POD)
    staged = scene(starting, POD.waiting("ErrImagePull"))
    staged.answer_nothing(staged.plan(NOW), NOW)
    staged.sees("pods", POD.build())
    plan = staged.plan(NOW + 2)
    assert (plan.writes, plan.memory.status_pending_since) == ((), None)


def test_a_change_of_phase_is_written_at_once() -> None:
    assert written(scene(V1, SERVING, serving=[SERVING])) == ["performers", "events"]


def test_nothing_is_written_while_nothing_changes() -> None:
    running = settled(V1, SERVING, serving=(SERVING,))
    plan = scene(running, SERVING, serving=[SERVING]).plan(NOW + 10_000)
    assert (plan.writes, plan.wake_at) == ((), None)


def test_the_patch_names_the_uid_and_only_what_changed() -> None:
    running = settled(V1, SERVING, serving=(SERVING,))
    before = running.with_status(nodeName="elsewhere", lastUpgrade="2026-01-01T00:00:00Z")
    write = scene(before, SERVING, serving=[SERVING], settings=AT_ONCE).plan(NOW).writes[0]
    assert write.body == {"metadata": {"uid": "uid-1"}, "status": {"nodeName": "node-1"}}


def test_what_no_longer_holds_is_removed() -> None:
    running = settled(V1, SERVING, serving=(SERVING,))
    patch = scene(running).plan(NOW).writes[1].body["status"]
    assert {k for k, v in patch.items() if v is None} == {
        "nodeName",
        "podName",
        "readyTime",
        "servingTemplateHash",
    }
    assert patch["ready"] is False


def test_the_end_of_an_upgrade_is_dated() -> None:
    upgrading = V2.with_status(servingTemplateHash=V1.hash, phase="Upgrading")
    new = pod_of(V2).on("node-1").ready()
    status = status_of(scene(upgrading, new, serving=[new]).plan(NOW))
    assert status["lastUpgrade"] == "1970-01-01T00:16:40Z"
    assert status["servingTemplateHash"] == V2.hash


@pytest.mark.parametrize("served", [None, V1.hash], ids=["the first start", "a restart"])
def test_no_upgrade_is_dated_by(served: str | None) -> None:
    stored = V1.with_status(**({"servingTemplateHash": served} if served else {}))
    status = status_of(scene(stored, SERVING, serving=[SERVING]).plan(NOW))
    assert "lastUpgrade" not in status


def test_ready_time_stays_through_an_upgrade() -> None:
    running = settled(V1, SERVING, serving=(SERVING,))
    changed = V2.with_status(**running.status)
    status = status_of(scene(changed, SERVING, serving=[SERVING]).plan(NOW + 50), running.status)
    assert status["readyTime"] == "1970-01-01T00:16:40Z"


def test_endpoint_and_service_are_told_once_the_service_exists() -> None:
    status = status_of(scene(V1, service=False, settings=AT_ONCE).plan(NOW))
    assert "grpcEndpoint" not in status
    status = status_of(scene(V1, settings=AT_ONCE).plan(NOW))
    assert status["grpcEndpoint"] == "performer-ml.avs.svc.cluster.local:9090"
    assert status["serviceName"] == "performer-ml"


EVENTS = [
    ("coming to serve", V1, [SERVING], [SERVING], [("Normal", "Running")]),
    ("waiting for a pod", V1, [], [], []),
    ("starting", V1, [POD], [], []),
    (
        "the first failed pull",
        V1,
        [POD.waiting("ErrImagePull")],
        [],
        [("Warning", "ImagePullFailed")],
    ),
    (
        "giving up the pull",
        settled(V1, POD.waiting("ErrImagePull", "x")),
        [POD.waiting("ImagePullBackOff", "ErrImagePull: x")],
        [],
        [("Warning", "ImagePullFailed")],
    ),
    (
        "another try of the pull",
        settled(V1, POD.waiting("ImagePullBackOff", "ErrImagePull: x")),
        [POD.waiting("ErrImagePull", "y")],
        [],
        [],
    ),
    (
        "losing the pod",
        settled(V1, SERVING, serving=(SERVING,)),
        [SERVING.deleting(1030)],
        [],
        [("Warning", "PodLost")],
    ),
    (
        "the start of an upgrade",
        V2.with_status(**settled(V1, SERVING, serving=(SERVING,)).status),
        [SERVING],
        [SERVING],
        [("Normal", "Upgrading")],
    ),
    (
        "a fault in an upgrade",
        settled(V2.with_status(servingTemplateHash=V1.hash), SERVING, serving=(SERVING,)),
        [SERVING, pod_of(V2).on("node-1").waiting("ErrImagePull", "x")],
        [SERVING],
        [("Warning", "ImagePullFailed")],
    ),
    (
        "the progress deadline",
        V1.with_status(templateHash=V1.hash, progressStartTime="1970-01-01T00:00:00Z"),
        [POD],
        [],
        [("Warning", "ProgressDeadlineExceeded")],
    ),
    ("a deletion", V1.deleting(NOW), [SERVING], [SERVING], [("Normal", "Terminating")]),
    (
        "a TEE of no kind",
        performer("ml").tee(),
        [],
        [],
        [("Warning", "TEETypeMissing")],
    ),
    ("a TEE of some kind", performer("ml").tee("sgx"), [], [], []),
]


@pytest.mark.parametrize(
    ("of", "pods", "serving", "expected"), [c[1:] for c in EVENTS], ids=[c[0] for c in EVENTS]
)
def test_events_of(
    of: PerformerBuilder,
    pods: list[PodBuilder],
    serving: list[PodBuilder],
    expected: list[tuple[str, str]],
) -> None:
    assert events(scene(of, *pods, serving=serving, settings=AT_ONCE)) == expected


def test_an_event_points_at_its_performer_and_is_named_after_the_moment() -> None:
    event = scene(V1, SERVING, serving=[SERVING]).plan(NOW).writes[-1]
    assert event.name == f"ml.{int(NOW * 1e9):x}"
    assert event.body["involvedObject"]["uid"] == "uid-1"
    assert event.body["message"].startswith("pod performer-ml-")


def test_a_long_message_is_cut_for_the_event() -> None:
    broken = POD.waiting("ErrImagePull", "x" * 5000)
    event = scene(V1, broken, settings=AT_ONCE).plan(NOW).writes[-1]
    assert len(event.body["message"]) == 1024


WAKES = [
    (
        "the progress deadline",
        V1.with_status(templateHash=V1.hash, progressStartTime="1970-01-01T00:16:00Z"),
        [POD],
        AT_ONCE,
        960.0 + 600,
    ),
    ("a deadline of its own", V1.deadline(100), [POD], AT_ONCE, NOW + 100),
    ("the status that is held back", V1, [POD], Settings(), NOW + 1),
    ("the end of a replacement's back-off", V1, [POD.born(995).failed("OutOfcpu")], AT_ONCE, 1005),
    (
        "the end of patience with a pod that does not end",
        V1.deleting(990),
        [SERVING.deleting(1020)],
        AT_ONCE,
        1080,
    ),
]


@pytest.mark.parametrize(
    ("of", "pods", "settings", "wake_at"), [w[1:] for w in WAKES], ids=[w[0] for w in WAKES]
)
def test_it_looks_again_at(
    of: PerformerBuilder, pods: list[PodBuilder], settings: Settings, wake_at: float
) -> None:
    assert scene(of, *pods, settings=settings, nodes=[node("node-1")]).plan(NOW).wake_at == wake_at


OTHERS = V1.held_by("other/finalizer").deleting(990)
HELD_BY_OTHERS = [
    ("that never had a pod is told to end", OTHERS.with_status(phase="Failed"), NOW),
    (
        "no longer waits for a pod that has ended",
        settled(V1.deleting(990), SERVING.deleting(1030)).held_by("other/finalizer"),
        NOW + 1,
    ),
]


@pytest.mark.parametrize(
    ("held", "then"), [h[1:] for h in HELD_BY_OTHERS], ids=[h[0] for h in HELD_BY_OTHERS]
)
def test_a_performer_that_others_hold(held: PerformerBuilder, then: float) -> None:
    staged = scene(held)
    staged.answer_nothing(staged.plan(NOW), NOW)
    status = status_of(staged.plan(then), held.status)
    assert (status["phase"], status["conditions"][-1]["message"]) == (
        "Terminating",
        "no pod is left",
    )
    assert [w.resource for w in scene(held.with_status(**status)).plan(then + 9).writes] == []
