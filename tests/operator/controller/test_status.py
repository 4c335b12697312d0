"""When the status is written, and what of it."""

import pytest

from builders import pod_of
from scene import Scene, scene, status_of
from situations import AT_ONCE, NOW, V1, V2, settled

POD = pod_of(V1).on("node-1")
SERVING = POD.ready()


def written(staged: Scene, now: float = NOW) -> list[str]:
    """Resources of the status and Event writes, in order."""
    writes = staged.plan(now).writes
    return [w.resource for w in writes if w.subresource == "status" or w.resource == "events"]


def test_a_change_within_a_phase_is_held_back_for_a_second() -> None:
    staged = scene(V1, POD)
    plan = staged.plan(NOW)
    assert (written(staged), plan.requeue_after) == ([], 1)
    staged.answer_nothing(plan, NOW)
    assert written(staged, NOW + 0.5) == []
    assert written(staged, NOW + 1) == ["performers"]


def test_a_change_that_is_taken_back_meanwhile_is_not_written() -> None:
    starting = settled(V1, POD)
    staged = scene(starting, POD.waiting("ErrImagePull"))
    staged.answer_nothing(staged.plan(NOW), NOW)
    staged.sees("pods", POD.build())
    plan = staged.plan(NOW + 2)
    assert (plan.writes, plan.memory.pending_status) == ((), None)


def test_a_change_that_is_overtaken_starts_to_last_anew() -> None:
    staged = scene(V1, POD)
    staged.answer_nothing(staged.plan(NOW), NOW)
    staged.sees("pods", POD.waiting("ErrImagePull").build())
    staged.answer_nothing(staged.plan(NOW + 0.9), NOW + 0.9)
    assert written(staged, NOW + 1.8) == []
    assert written(staged, NOW + 1.9) == ["performers", "events"]


def test_a_change_that_goes_on_changing_is_written_in_the_end() -> None:
    staged = scene(V1, POD)
    states = [POD.waiting("ErrImagePull"), POD]
    for step in range(10):
        now = NOW + 0.5 * step
        staged.sees("pods", states[step % 2].build())
        assert written(staged, now) == []
        staged.answer_nothing(staged.plan(now), now)
    assert written(staged, NOW + 5) != []


def test_a_change_of_phase_is_written_at_once() -> None:
    assert written(scene(V1, SERVING, serving=[SERVING])) == ["performers", "events"]


def test_nothing_is_written_while_nothing_changes() -> None:
    running = settled(V1, SERVING, serving=(SERVING,))
    plan = scene(running, SERVING, serving=[SERVING]).plan(NOW + 10_000)
    assert (plan.writes, plan.requeue_after) == ((), None)


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


def test_endpoint_and_service_are_shown_once_the_service_exists() -> None:
    status = status_of(scene(V1, service=False, settings=AT_ONCE).plan(NOW))
    assert "grpcEndpoint" not in status
    status = status_of(scene(V1, settings=AT_ONCE).plan(NOW))
    assert status["grpcEndpoint"] == "performer-ml.avs.svc.cluster.local:9090"
    assert status["serviceName"] == "performer-ml"
