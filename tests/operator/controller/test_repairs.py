"""Repairs that last, that are in vain, and that somebody undoes."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from builders import PodBuilder
from hourglass_kube.types import JSON
from hourglass_operator.controller.plan import Outcome, Plan
from scene import Scene, calls, conditions_of, passes, scene, status_of
from situations import NOW, OLD, V1, settled

RUNNING = settled(V1, OLD, serving=(OLD,))
MANAGER = {"app.kubernetes.io/managed-by": "platform-team"}
REPAIR_SERVICE = ["patch services performer-ml"]
REPAIR_POD = [f"patch pods {OLD.name}"]


def service(**port: str | int) -> JSON:
    """The Service, with this in its port."""
    found = V1.service()
    ports = [{**found["spec"]["ports"][0], **port}]
    return {**found, "spec": {**found["spec"], "ports": ports}}


def pod(labels: Mapping[str, str]) -> JSON:
    found = OLD.build()
    metadata = {**found["metadata"], "labels": {**found["metadata"]["labels"], **labels}}
    return {**found, "metadata": metadata}


def damaged() -> Scene:
    staged = scene(RUNNING, OLD, serving=[OLD])
    staged.sees("services", service(appProtocol="grpc"))
    return staged


def events(plan: Plan) -> list[str]:
    return [e.body["message"] for e in plan.events if e.body["reason"] == "RepairUndone"]


def tried_in_vain(at: float = NOW) -> Scene:
    """The answer to the repair shows the same damage; the next pass records the Event."""
    staged = damaged()
    staged.answer(staged.plan(at), at, body=service(appProtocol="grpc"))
    staged.succeed(staged.plan(at), at)
    return staged


def test_a_repair_that_is_in_vain_is_reported_once_with_what_undoes_it() -> None:
    staged = damaged()
    plan = staged.plan(NOW)
    assert (calls(plan), events(plan)) == (REPAIR_SERVICE, [])
    staged.answer(plan, NOW, body=service(appProtocol="grpc"))
    assert staged.controller.queue.next_due() == 0.0

    reported = staged.plan(NOW)
    assert calls(reported) == []
    assert events(reported) == [
        "Service performer-ml cannot be repaired: spec.ports[0].appProtocol is grpc instead of"
        " kubernetes.io/h2c; a mutating webhook or policy sets it at every write"
    ]
    staged.succeed(reported, NOW)
    assert staged.plan(NOW) == Plan(memory=staged.plan(NOW).memory)


def test_the_pass_that_reports_comes_though_the_repair_has_changed_nothing() -> None:
    staged = damaged()
    due = staged.controller.take(NOW)
    assert due is not None
    staged.uid, staged.planned, staged.versions = due.uid, NOW, due.versions
    unchanged = service(appProtocol="grpc")
    unchanged["metadata"]["resourceVersion"] = "1"
    staged.answer(due.plan, NOW, body=unchanged)
    assert staged.controller.queue.next_due() == NOW


@pytest.mark.parametrize("after", [0.0, 59.0, 86400.0])
def test_it_is_not_tried_again_while_the_object_is_unchanged(after: float) -> None:
    plan = tried_in_vain().plan(NOW + after)
    assert (plan.writes, plan.requeue_after) == ((), None)


@pytest.mark.parametrize(
    ("after", "made"), [(59.0, []), (60.0, REPAIR_SERVICE)], ids=["not yet", "after a minute"]
)
def test_it_is_tried_again_when_the_object_has_changed(after: float, made: list[str]) -> None:
    staged = tried_in_vain()
    staged.sees("services", service(appProtocol="grpc"))
    assert calls(staged.plan(NOW + after)) == made


def test_each_further_try_in_vain_waits_twice_as_long_and_is_not_reported_again() -> None:
    staged = tried_in_vain()
    again = NOW + 60
    staged.sees("services", service(appProtocol="grpc"))
    staged.answer(staged.plan(again), again, body=service(appProtocol="grpc"))
    staged.sees("services", service(appProtocol="grpc"))
    assert staged.plan(again + 119).writes == ()
    plan = staged.plan(again + 120)
    assert (calls(plan), events(plan)) == (REPAIR_SERVICE, [])


def test_another_damage_is_repaired_at_once_beside_one_that_cannot_be() -> None:
    staged = tried_in_vain()
    staged.sees("services", service(appProtocol="grpc", protocol="UDP"))
    assert calls(staged.plan(NOW)) == REPAIR_SERVICE
    staged.answer(staged.plan(NOW), NOW, body=service(appProtocol="grpc"))
    plan = staged.plan(NOW)
    assert (calls(plan), events(plan)) == ([], [])


def test_a_pod_is_repaired_in_vain_like_a_service() -> None:
    staged = scene(RUNNING, OLD, serving=[OLD])
    staged.sees("pods", pod(MANAGER))
    plan = staged.plan(NOW)
    assert calls(plan) == REPAIR_POD
    staged.answer(plan, NOW, body=pod(MANAGER))
    reported = staged.plan(NOW)
    assert calls(reported) == []
    assert "metadata.labels[app.kubernetes.io/managed-by] is platform-team" in events(reported)[0]


def test_what_could_not_be_repaired_and_is_whole_again_is_forgotten() -> None:
    staged = tried_in_vain()
    staged.sees("services", V1.service())
    assert staged.plan(NOW + 599).memory.repairs != ()
    assert staged.plan(NOW + 600).memory.repairs == ()


def undone(times: int) -> Scene:
    """Somebody has undone so many repairs, each a moment after it was made."""
    staged = damaged()
    for _ in range(times):
        staged.answer(staged.plan(NOW), NOW, body=V1.service())
        staged.sees("services", service(appProtocol="grpc"))
    return staged


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_damaged_again_is_repaired_again(times: int) -> None:
    plan = undone(times).plan(NOW)
    assert (calls(plan), events(plan)) == (REPAIR_SERVICE, [])


def test_a_third_repair_that_somebody_undoes_is_reported_and_the_next_waits() -> None:
    staged = undone(3)
    plan = staged.plan(NOW)
    assert (calls(plan), plan.requeue_after) == ([], 1.0)
    assert events(plan) == [
        "Service performer-ml is changed again after every repair: spec.ports[0].appProtocol is"
        " grpc instead of kubernetes.io/h2c; kubectl get service performer-ml -o yaml"
        " --show-managed-fields says by whom"
    ]
    staged.succeed(plan, NOW)
    again = staged.plan(NOW + 1)
    assert (calls(again), events(again)) == (REPAIR_SERVICE, [])
    staged.answer(again, NOW + 1, body=V1.service())
    staged.sees("services", service(appProtocol="grpc"))
    assert staged.plan(NOW + 2).requeue_after == 1.0


def test_a_service_that_could_not_be_repaired_is_made_again_when_it_is_gone() -> None:
    staged = tried_in_vain()
    staged.sees("services", service(appProtocol="grpc"), event="DELETED")
    staged.answer_reads(staged.plan(NOW), NOW)
    assert calls(staged.plan(NOW)) == ["create services performer-ml"]


def test_a_repair_that_fails_is_not_one_that_was_in_vain() -> None:
    staged = damaged()
    staged.answer(staged.plan(NOW), NOW, 500)
    assert staged.plan(NOW).memory.repairs == ()
    assert calls(staged.plan(NOW)) == [], "it is put off"
    assert calls(staged.plan(NOW + 1)) == REPAIR_SERVICE


def without(selected: Mapping[str, str]) -> JSON:
    """The Service with this selector."""
    found = V1.service()
    return {**found, "spec": {**found["spec"], "selector": selected}}


@pytest.mark.parametrize(
    ("resource", "damage", "serving", "conditions"),
    [
        pytest.param(
            "services",
            lambda: without({"app": "another"}),
            (),
            {"Available": "False/RepairUndone", "Degraded": "False/NotAvailable"},
            id="a selector that finds no pod",
        ),
        pytest.param(
            "pods",
            lambda: pod({"performer-name": "another"}),
            (),
            {"Available": "False/RepairUndone", "Degraded": "False/NotAvailable"},
            id="a label by which the Service finds the pod",
        ),
        pytest.param(
            "services",
            lambda: service(port=443),
            (OLD,),
            {"Available": "True/PodReady", "Degraded": "True/RepairUndone"},
            id="a port that clients do not know",
        ),
        pytest.param(
            "services",
            lambda: service(targetPort="http"),
            (OLD,),
            {"Available": "True/PodReady", "Degraded": "True/RepairUndone"},
            id="a port of the pod that it does not have",
        ),
        pytest.param(
            "services",
            lambda: service(appProtocol="grpc"),
            (OLD,),
            {"Available": "True/PodReady", "Degraded": "False/AsExpected"},
            id="a field that keeps nobody away",
        ),
    ],
)
def test_what_keeps_clients_away_is_said_in_the_status(
    resource: str,
    damage: Callable[[], JSON],
    serving: Sequence[PodBuilder],
    conditions: dict[str, str],
) -> None:
    staged = scene(RUNNING, OLD, serving=serving)
    damaged_object = damage()
    staged.sees(resource, damaged_object)
    staged.answer(staged.plan(NOW), NOW, body=damaged_object)
    plan = staged.plan(NOW)
    staged.succeed(plan, NOW)
    stored = RUNNING.build()["status"]
    found = conditions_of(status_of(staged.plan(NOW + 10), status_of(plan, stored)))
    assert {type_: found[type_] for type_ in conditions} == conditions


@pytest.mark.parametrize(
    ("after", "made"), [(59.0, []), (60.0, REPAIR_SERVICE)], ids=["not yet", "after a minute"]
)
def test_what_keeps_clients_away_is_tried_again_though_nothing_has_changed(
    after: float, made: list[str]
) -> None:
    staged = scene(RUNNING, OLD)
    staged.sees("services", without({"app": "another"}))
    staged.answer(staged.plan(NOW), NOW, body=without({"app": "another"}))
    assert calls(staged.plan(NOW + after)) == made


def test_a_pass_comes_after_each_try_though_it_has_changed_nothing() -> None:
    staged = scene(RUNNING, OLD)
    unchanged = without({"app": "another"})
    staged.sees("services", unchanged, now=NOW)
    tries = []
    for now, due in passes(staged, 60 + 120 + 240 + 1, NOW):
        made = due.plan.writes
        tries += [now - NOW for write in made if write.resource == "services"]
        outcomes = [
            Outcome(write, 200, body=unchanged if write.resource == "services" else None)
            for write in made
        ]
        staged.controller.finish(due, outcomes, now)
    assert tries == [0, 60, 180, 420]
