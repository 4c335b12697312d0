"""When the status is written, and what of it."""

from dataclasses import replace

import pytest

from builders import pod_of
from hourglass_operator.api import MESSAGE_LIMIT
from hourglass_operator.api.crd import generate
from hourglass_operator.controller import Settings
from hourglass_operator.controller.phase_changes import CHANGES
from hourglass_operator.controller.plan import Write
from scene import Scene, scene, status_of
from situations import AT_ONCE, NOW, V1, V2, bound, settled

POD = pod_of(V1).on("node-1")
SERVING = POD.ready()
LIMIT = Settings().status_limit


def written(staged: Scene, now: float = NOW) -> list[str]:
    """Resources of the status and Event writes, in order."""
    plan = staged.plan(now)
    return [
        w.resource
        for w in (*plan.writes, *plan.events)
        if w.subresource == "status" or w.resource == "events"
    ]


def test_a_change_within_a_phase_is_held_back_for_two_seconds() -> None:
    staged = scene(V1, POD)
    plan = staged.plan(NOW)
    assert (written(staged), plan.requeue_after) == ([], 2)
    staged.succeed(plan, NOW)
    assert written(staged, NOW + 1.5) == []
    assert written(staged, NOW + 2) == ["performers"]


def test_a_change_that_is_taken_back_meanwhile_is_not_written() -> None:
    starting = settled(V1, POD)
    staged = scene(starting, POD.waiting("ErrImagePull"))
    staged.succeed(staged.plan(NOW), NOW)
    staged.sees("pods", POD.build())
    plan = staged.plan(NOW + 2)
    assert (plan.writes, plan.memory.pending_status) == ((), None)


def test_a_change_that_is_overtaken_starts_to_last_anew() -> None:
    staged = scene(V1, POD)
    staged.succeed(staged.plan(NOW), NOW)
    staged.sees("pods", POD.waiting("ErrImagePull").build())
    staged.succeed(staged.plan(NOW + 1.9), NOW + 1.9)
    assert written(staged, NOW + 3.8) == []
    assert written(staged, NOW + 3.9) == ["performers", "events"]


def test_a_change_that_goes_on_changing_is_written_in_the_end() -> None:
    staged = scene(V1, POD)
    states = [POD.waiting("ErrImagePull"), POD]
    for step in range(10):
        now = NOW + 0.5 * step
        staged.sees("pods", states[step % 2].build())
        assert written(staged, now) == []
        staged.succeed(staged.plan(now), now)
    assert written(staged, NOW + 5) != []


def test_a_change_of_phase_is_written_at_once() -> None:
    assert written(scene(V1, SERVING, serving=[SERVING])) == ["performers", "events"]


def test_nothing_is_written_while_nothing_changes() -> None:
    running = settled(V1, SERVING, serving=(SERVING,))
    plan = scene(running, SERVING, serving=[SERVING]).plan(NOW + 10_000)
    assert (plan.writes, plan.requeue_after) == ((), None)


def test_the_patch_names_what_was_seen_and_only_what_changed() -> None:
    running = settled(V1, SERVING, serving=(SERVING,))
    before = running.with_status(nodeName="elsewhere", lastUpgrade="2026-01-01T00:00:00Z")
    staged = scene(before, SERVING, serving=[SERVING], settings=AT_ONCE)
    seen = staged.controller.cache.performers[staged.key]
    assert staged.plan(NOW).writes[0].body == {
        "metadata": {"uid": "uid-1", "resourceVersion": seen.version},
        "status": {"nodeName": "node-1"},
    }


def test_a_status_after_another_write_on_the_performer_leaves_the_version_to_that() -> None:
    writes = scene(V1.bare(), SERVING, serving=[SERVING]).plan(NOW).writes
    of_performer = [write.body["metadata"] for write in writes if write.resource == "performers"]
    assert ["resourceVersion" in metadata for metadata in of_performer] == [True, False]


def phase_changes(staged: Scene, times: int, by_another: bool) -> None:
    """The phase becomes Running, Pending, Running…, by writes of this process or another's."""
    running = settled(V1, SERVING, serving=(SERVING,))
    for change in range(times):
        phase = ("Running", "Pending")[change % 2]
        body = running.with_status(phase=phase).build()
        if by_another:
            staged.sees("performers", body, now=NOW)
        else:
            write = Write(
                "patch", "performers", "avs", "ml", {"status": {"phase": phase}}, "status"
            )
            plan = replace(staged.plan(NOW), writes=(write,))
            staged.versions = staged.controller.versions(plan)
            staged.answer(plan, NOW, body=body)


@pytest.mark.parametrize("by_another", [False, True], ids=["this process", "another process"])
def test_a_phase_that_has_changed_three_times_rests_after_changes_by(by_another: bool) -> None:
    staged = scene(V1, SERVING, serving=[SERVING])
    phase_changes(staged, CHANGES, by_another)
    staged.sees("pods", SERVING.unready(990).build(), now=NOW)
    plan = staged.plan(NOW + 1)
    assert (written(staged, NOW + 1), plan.requeue_after) == ([], LIMIT - 1)
    assert written(staged, NOW + LIMIT) == ["performers", "events"]


@pytest.mark.parametrize("by_another", [False, True], ids=["this process", "another process"])
def test_a_phase_does_not_rest_after_one_change_by(by_another: bool) -> None:
    staged = scene(V1, SERVING, serving=[SERVING])
    phase_changes(staged, 1, by_another)
    staged.sees("pods", SERVING.unready(990).build(), now=NOW)
    assert written(staged, NOW) == ["performers", "events"]


def test_a_change_whose_watch_event_comes_before_its_answer_counts_once() -> None:
    staged = scene(V1, SERVING, serving=[SERVING])
    for change in range(CHANGES - 1):
        phase = ("Running", "Pending")[change % 2]
        body = settled(V1, SERVING, serving=(SERVING,)).with_status(phase=phase).build()
        plan = replace(
            staged.plan(NOW),
            writes=(Write("patch", "performers", "avs", "ml", {"status": {}}, "status"),),
        )
        staged.sees("performers", body, now=NOW)
        staged.answer(plan, NOW, body=body)
    assert written(staged, NOW) == ["performers", "events"]


def test_what_no_longer_holds_is_removed() -> None:
    running = settled(V1, SERVING, serving=(SERVING,))
    staged = scene(running)
    staged.ends(SERVING)
    patch = staged.plan(NOW).writes[1].body["status"]
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


LONG = "begin " + "ä" * 40_000 + " end"


def _refused(code: int) -> Scene:
    staged = scene(V1, settings=AT_ONCE)
    plan = staged.plan(NOW)
    staged.answer(plan, NOW, code=code, message=LONG)
    return staged


@pytest.mark.parametrize(
    ("staged", "longest"),
    [
        pytest.param(
            scene(V1, POD.waiting("ImagePullBackOff", LONG), settings=AT_ONCE),
            MESSAGE_LIMIT,
            id="of a kubelet",
        ),
        pytest.param(
            scene(V1, pod_of(V1).unschedulable(LONG), settings=AT_ONCE), 1024, id="a scheduler"
        ),
        pytest.param(
            scene(V1, POD.failed("Evicted", LONG), settings=AT_ONCE),
            MESSAGE_LIMIT,
            id="an eviction",
        ),
        pytest.param(_refused(403), MESSAGE_LIMIT, id="a webhook that refuses"),
        pytest.param(_refused(500), MESSAGE_LIMIT, id="a webhook that fails"),
        pytest.param(
            scene(
                settled(V1, SERVING, serving=(SERVING,)).image("avs/performer:v2"),
                SERVING,
                bound(V2).waiting("ImagePullBackOff", LONG),
                serving=[SERVING],
                settings=AT_ONCE,
            ),
            MESSAGE_LIMIT,
            id="a kubelet during an upgrade",
        ),
    ],
)
def test_any_message_fits(staged: Scene, longest: int) -> None:
    plan = staged.plan(NOW)
    [status] = [write.body["status"] for write in plan.writes if write.subresource == "status"]
    messages = [condition["message"] for condition in status["conditions"]]
    assert max(map(len, messages)) == longest
    for message in messages:
        assert len(message) <= MESSAGE_LIMIT
        assert "begin ä" not in message or "ä end" in message
    for text in (event.body["message"] for event in plan.events):
        assert len(text.encode()) <= 1024
        assert "begin ä" in text


def test_the_definition_takes_the_longest_message() -> None:
    schema = generate()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    condition = schema["properties"]["conditions"]["items"]["properties"]
    assert condition["message"]["maxLength"] == MESSAGE_LIMIT


def test_conditions_of_others_leave_room_for_the_operators_own() -> None:
    foreign = [
        {
            "type": f"Audited{number}",
            "status": "True",
            "reason": "Checked",
            "message": "",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }
        for number in range(8)
    ]
    staged = scene(V1.with_status(conditions=foreign), SERVING, serving=[SERVING])
    found = [condition["type"] for condition in status_of(staged.plan(NOW))["conditions"]]
    assert found[:4] == ["Audited4", "Audited5", "Audited6", "Audited7"]
    assert found[4:] == ["Available", "Progressing", "Degraded", "Ready"]


def test_endpoint_and_service_are_shown_once_the_service_exists() -> None:
    status = status_of(scene(V1, service=False, settings=AT_ONCE).plan(NOW))
    assert "grpcEndpoint" not in status
    status = status_of(scene(V1, settings=AT_ONCE).plan(NOW))
    assert status["grpcEndpoint"] == "performer-ml.avs.svc.cluster.local:9090"
    assert status["serviceName"] == "performer-ml"
