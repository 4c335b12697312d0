"""What the API server's answers to writes lead to."""

from typing import Any

import pytest

from builders import performer, pod_of
from hourglass_operator.controller import Outcome, Plan, Settings
from hourglass_operator.resources import names
from scene import Scene, calls, conditions_of, passes, scene, status_of, take_list

NOW = 1000.0
V1 = performer("ml")
POD = pod_of(V1)
QUOTA = 'pods "x" is forbidden: exceeded quota: gpus'


def refused(code: int, message: str = QUOTA, staged: Scene | None = None) -> tuple[Scene, Plan]:
    """The scene after its first write, the creation of a pod, was refused; and its next plan."""
    staged = staged or scene(V1)
    staged.controller.queue.get(NOW)
    staged.answer(staged.plan(NOW), NOW, code, reason="Forbidden", message=message)
    return staged, staged.plan(NOW)


@pytest.mark.parametrize("code", [400, 403, 422])
def test_a_refused_pod_fails_the_performer_with_the_servers_words(code: int) -> None:
    staged, plan = refused(code)
    status = status_of(plan)
    assert (status["phase"], conditions_of(status)["Ready"]) == ("Failed", "False/PodRejected")
    assert status["conditions"][-1]["message"] == QUOTA
    assert calls(plan) == []
    assert staged.controller.queue.next_due() == NOW


def test_a_refused_pod_is_tried_again_after_a_back_off_that_doubles() -> None:
    staged, plan = refused(403)
    assert plan.requeue_after == 10
    again = staged.plan(NOW + 10)
    assert calls(again) == [f"create pods {POD.name}"]
    staged.answer(again, NOW + 10, 403, message=QUOTA)
    assert staged.plan(NOW + 10).requeue_after == 20


def test_a_refusal_is_forgotten_once_the_pod_is_made() -> None:
    staged, _ = refused(403, staged=scene(V1, settings=Settings(status_delay=0)))
    staged.answer(staged.plan(NOW + 10), NOW + 10, 201, body=POD.build())
    status = status_of(staged.plan(NOW + 10))
    assert conditions_of(status)["Ready"] == "False/PodPending"


def test_a_refusal_is_forgotten_once_the_pod_is_seen() -> None:
    staged, _ = refused(403, staged=scene(V1, settings=Settings(status_delay=0)))
    lost = staged.plan(NOW + 10)
    staged.answer(lost, NOW + 10, 0)
    staged.sees("pods", POD.on("node-1").build(), now=NOW + 10)
    plan = staged.plan(NOW + 10)
    assert conditions_of(status_of(plan))["Ready"] == "False/Scheduled"
    assert plan.memory.refusals == ()


def test_a_refusal_does_not_outlive_the_spec_that_caused_it() -> None:
    staged, _ = refused(403)
    staged.sees("performers", V1.image("avs/performer:v2").build(), now=NOW)
    assert calls(staged.plan(NOW)) == [f"create pods {pod_of(V1.image('avs/performer:v2')).name}"]


def test_a_refused_service_is_no_refused_pod() -> None:
    staged = scene(V1, service=False)
    staged, plan = refused(403, "exceeded quota: services", staged)
    assert conditions_of(status_of(plan))["Ready"] == "False/ServiceRejected"


def test_pod_and_service_that_are_both_refused_are_each_tried_after_their_own_back_off() -> None:
    staged = scene(V1, service=False)
    creations = []
    for now, due in passes(staged, 60):
        made = [w for w in due.plan.writes if w.resource in ("services", "pods")]
        creations += [(now - NOW, write.resource) for write in made[:1]]
        assert len(creations) < 20, "it is tried without end"
        refusals = [Outcome(write, 403, message=QUOTA) for write in made[:1]]
        others = [Outcome(write, 200) for write in due.plan.writes if not made]
        staged.controller.finish(due, [*refusals, *others], now)
    tries = [0, 10, 30]
    assert creations == [(after, resource) for after in tries for resource in ("services", "pods")]


@pytest.mark.parametrize("code", [401, 409, 429])
def test_an_answer_that_says_nothing_of_the_pod_is_tried_again_soon(code: int) -> None:
    staged, plan = refused(code)
    assert calls(plan) == [f"create pods {POD.name}"]
    assert staged.controller.queue.next_due() == NOW + 1


WEBHOOK = "Internal error occurred: failed calling webhook: connection refused"
PASSING = [
    (
        "the server's own error",
        {"code": 500, "message": WEBHOOK},
        f"Pod {POD.name} cannot be created yet: {WEBHOOK}",
    ),
    (
        "no answer at all",
        {"code": 0, "message": "timed out"},
        f"Pod {POD.name} cannot be created yet: timed out",
    ),
    (
        "a path that is not served",
        {"code": 404, "message": "no route"},
        f"Pod {POD.name} cannot be created yet: no route",
    ),
    (
        "a pod of an earlier Performer",
        {"code": 409, "body": POD.controlled_by("uid-0").build()},
        f"Pod {POD.name} of an earlier Performer of this name has not gone yet",
    ),
    (
        "a pod of an earlier Performer with a finalizer of others",
        {"code": 409, "body": POD.controlled_by("uid-0").kept_by("example.com/audit").build()},
        f"Pod {POD.name} of an earlier Performer of this name has not gone yet: finalizer"
        " example.com/audit keeps it",
    ),
]


@pytest.mark.parametrize(
    ("answer", "message"), [p[1:] for p in PASSING], ids=[p[0] for p in PASSING]
)
def test_what_holds_up_a_creation_is_reported_and_tried_again_soon(
    answer: dict[str, Any], message: str
) -> None:
    staged = scene(V1, settings=Settings(status_delay=0))
    staged.answer(staged.plan(NOW), NOW, **answer)
    plan = staged.plan(NOW)
    status = status_of(plan)
    assert "phase" not in status, "Pending, as it was"
    assert conditions_of(status)["Ready"] == "False/PodPending"
    assert status["conditions"][-1]["message"] == message
    assert (calls(plan), plan.requeue_after) == ([], 1)
    again = staged.plan(NOW + 1)
    assert calls(again) == [f"create pods {POD.name}"]
    staged.answer(again, NOW + 1, **answer)
    assert staged.plan(NOW + 1).requeue_after == 2


def test_what_holds_up_the_successor_of_a_lost_pod_is_reported_beside_the_loss() -> None:
    staged = scene(V1, POD.on("node-1").failed("Evicted"), settings=Settings(status_delay=0))
    staged.answer(staged.plan(NOW), NOW, 500, message=WEBHOOK)
    status = status_of(staged.plan(NOW))
    assert conditions_of(status)["Ready"] == "False/PodLost"
    message = status["conditions"][-1]["message"]
    assert message.startswith(f"pod {POD.name} on node node-1 was lost (Evicted)")
    assert message.endswith(f"cannot be created yet: {WEBHOOK}")


def test_a_service_that_is_held_up_does_not_keep_the_pod_waiting() -> None:
    staged = scene(V1, service=False, settings=Settings(status_delay=0))
    staged.answer(staged.plan(NOW), NOW, 500, message=WEBHOOK)
    plan = staged.plan(NOW)
    assert calls(plan)[0] == f"create pods {POD.name}"
    staged.answer(plan, NOW, 201, body=POD.on("node-1").build())
    status = status_of(staged.plan(NOW))
    assert status["conditions"][-1]["message"] == (
        f"pod {POD.name} is starting on node node-1;"
        f" Service performer-ml cannot be created yet: {WEBHOOK}"
    )


def test_what_an_earlier_performer_has_left_is_replaced_as_soon_as_it_goes() -> None:
    staged, left = scene(V1), POD.controlled_by("uid-0")
    staged.sees("pods", left.build(), event="ADDED", now=NOW)
    staged.answer(staged.plan(NOW), NOW, 409, body=left.build())
    assert calls(staged.plan(NOW + 0.5)) == []
    staged.sees("pods", left.build(), event="DELETED", now=NOW + 0.5)
    assert calls(staged.plan(NOW + 0.5)) == [f"create pods {POD.name}"]


def test_what_an_earlier_performer_has_left_is_passed_over_as_soon_as_it_has_ended() -> None:
    staged, left = scene(V1), POD.controlled_by("uid-0").on("node-1").deleting(NOW + 30)
    staged.sees("pods", left.build(), event="ADDED", now=NOW)
    staged.answer(staged.plan(NOW), NOW, 409, body=left.build())
    ended = left.succeeded().kept_by("example.com/audit").build()
    staged.sees("pods", ended, now=NOW + 0.5)
    assert calls(staged.plan(NOW + 0.5)) == [f"create pods {POD.number(1).name}"]


def test_a_pod_that_exists_already_is_taken_over() -> None:
    staged = scene(V1)
    unlabelled = POD.without_label("app").on("node-1").build()
    staged.answer(staged.plan(NOW), NOW, 409, reason="AlreadyExists", body=unlabelled)
    assert calls(staged.plan(NOW)) == [f"patch pods {POD.name}"]


FOREIGN = [
    ("controlled by another", POD.controlled_by("somebody").build()),
    (
        "without owner and label",
        POD.orphaned().without_label("hourglass.eigenlayer.io/performer").build(),
    ),
]
for _, _obj in FOREIGN:
    for _owner in _obj["metadata"].get("ownerReferences", []):
        _owner |= {"kind": "ReplicaSet", "name": "web"}


@pytest.mark.parametrize("body", [f[1] for f in FOREIGN], ids=[f[0] for f in FOREIGN])
def test_a_name_that_is_taken_is_a_conflict(body: dict[str, object]) -> None:
    staged = scene(V1)
    staged.answer(staged.plan(NOW), NOW, 409, reason="AlreadyExists", body=body)
    plan = staged.plan(NOW)
    status = status_of(plan)
    assert (status["phase"], conditions_of(status)["Ready"]) == ("Failed", "False/NameConflict")
    assert f"Pod {POD.name} exists and belongs to another" in status["conditions"][-1]["message"]
    assert (calls(plan), plan.requeue_after) == ([], 10)


def test_what_is_gone_is_forgotten() -> None:
    running = POD.on("node-1").without_label("app")
    staged = scene(V1, running)
    staged.answer(staged.plan(NOW), NOW, 404, reason="NotFound", details_name=POD.name)
    assert calls(staged.plan(NOW)) == [f"create pods {POD.name}"]


@pytest.mark.parametrize("resource", ["pods", "services"])
def test_a_404_that_comes_late_is_not_about_a_newer_object_of_the_name(resource: str) -> None:
    if resource == "pods":
        running = POD.on("node-1").without_label("app")
        staged = scene(V1, running)
        again = running.build()
    else:
        staged = scene(V1, service=False)
        service = V1.service()
        del service["metadata"]["labels"]["app"]
        staged.sees("services", service)
        again = V1.service()
    plan = staged.plan(NOW)
    name = plan.writes[0].name
    version = int(again["metadata"]["resourceVersion"]) + 10**6
    again["metadata"] |= {"uid": "another", "resourceVersion": str(version)}
    staged.sees(resource, again)
    staged.answer(plan, NOW, 404, reason="NotFound", details_name=name)
    assert f"create {resource} {name}" not in calls(staged.plan(NOW))


NOT_THE_SERVERS_WORD = [
    ("a proxy's page", {"message": "<html>404 Not Found</html>"}),
    ("a resource that is not served", {"reason": "NotFound"}),
    ("another object", {"reason": "NotFound", "details_name": "avs"}),
    ("a proxy's own words", {"reason": "NoRoute", "details_name": POD.name}),
]


@pytest.mark.parametrize("verb", ["patch", "delete"])
@pytest.mark.parametrize(
    "answer", [n[1] for n in NOT_THE_SERVERS_WORD], ids=[n[0] for n in NOT_THE_SERVERS_WORD]
)
def test_a_404_that_does_not_say_that_the_object_is_gone_is_a_failure(
    answer: dict[str, str], verb: str
) -> None:
    if verb == "patch":
        staged = scene(V1, POD.on("node-1").without_label("app"))
    else:
        staged = scene(V1.deleting(NOW), POD.on("node-1"))
    assert staged.controller.queue.get(NOW) is not None
    staged.answer(staged.plan(NOW), NOW, 404, **answer)
    assert calls(staged.plan(NOW)) == []
    assert calls(staged.plan(NOW + 1)) == [f"{verb} pods {POD.name}"]


def test_a_newer_list_brings_back_what_an_answer_called_gone() -> None:
    staged = scene(V1, POD.on("node-1").without_label("app"))
    listed = POD.on("node-1").without_label("app").build()
    staged.sees("pods", listed)
    staged.answer(staged.plan(NOW), NOW, 404, reason="NotFound", details_name=POD.name)
    assert staged.controller.cache.pods(staged.key) == ()
    version = listed["metadata"]["resourceVersion"]
    take_list(staged.controller, "pods", [listed], version, NOW)
    assert calls(staged.plan(NOW)) == [f"patch pods {POD.name}"]


def test_a_deletion_of_what_is_gone_is_done() -> None:
    staged = scene(V1.deleting(NOW), POD.on("node-1"))
    staged.answer(staged.plan(NOW), NOW, 404, reason="NotFound", details_name=POD.name)
    assert calls(staged.plan(NOW)) == ["patch performers ml"]


@pytest.mark.parametrize(
    ("left", "gone"),
    [((), True), (("example.com/theirs",), False)],
    ids=["the last one ends it", "another one keeps it"],
)
def test_a_finalizer_that_is_released(left: tuple[str, ...], gone: bool) -> None:
    deleted = V1.held_by(*left, names.FINALIZER).deleting(NOW)
    staged, late = scene(deleted), deleted.build()
    staged.sees("performers", late)
    staged.answer(staged.plan(NOW), NOW, body=deleted.held_by(*left).build())
    assert (staged.key not in staged.controller.cache.performers) == gone
    # What the watch delivers late does not bring it back.
    staged.sees("performers", late)
    assert (staged.key not in staged.controller.cache.performers) == gone
