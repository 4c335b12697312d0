"""Cache, queue and passes together: what comes in, what is remembered, when the next pass comes."""

import pytest

from builders import CATALOGUE, NAMESPACE, node, performer, pod_of
from hourglass_operator.controller import Controller, Outcome, Pass, Plan, Settings
from hourglass_operator.controller.cache import RESOURCES
from scene import Scene, passes, scene, take_list
from situations import NOW, V1

KEY = (NAMESPACE, "ml")
POD = pod_of(V1)


@pytest.mark.parametrize("performed", [0, 1], ids=["the first write", "a later write"])
def test_a_pass_that_broke_off_in_a_write_is_tried_again_after_a_back_off(performed: int) -> None:
    serving = POD.on("node-1").ready()
    staged = scene(V1.bare(), serving, serving=[serving])
    now = NOW
    for pause in (1, 2, 4):
        due = staged.controller.take(now)
        assert due is not None
        assert len(due.plan.writes) == 2
        done = [Outcome(write, 200) for write in due.plan.writes[:performed]]
        staged.controller.finish(due, done, now)
        assert staged.controller.queue.next_due() == now + pause
        now += pause


def test_answers_about_a_performer_that_is_gone_change_nothing() -> None:
    staged = scene(V1)
    due = staged.controller.take(NOW)
    assert due is not None
    staged.sees("performers", V1.build(), event="DELETED", now=NOW)
    staged.controller.finish(due, [Outcome(due.plan.writes[0], 403)], NOW)
    assert staged.plan(NOW) == Plan()


def test_back_off_starts_over_after_a_pass_without_failures() -> None:
    staged = scene(V1)
    waits = []
    now = NOW
    for code in (409, 409, 200, 409):
        staged.controller.queue.add(staged.key, now)
        due = staged.controller.take(now)
        assert due is not None
        staged.controller.finish(due, [Outcome(due.plan.writes[0], code)], now)
        next_due = staged.controller.queue.next_due()
        assert next_due is not None
        waits.append(next_due - now)
        now += 10
    assert waits == [1, 2, 2, 1]


def test_only_one_pass_for_a_key_at_a_time() -> None:
    staged = scene(V1)
    due = staged.controller.take(NOW)
    assert due is not None
    staged.sees("pods", POD.build(), now=NOW)
    assert staged.controller.take(NOW) is None
    staged.controller.finish(due, [], NOW)
    assert staged.controller.take(NOW) is not None


def test_changes_of_nodes_are_looked_at_together() -> None:
    waiting = POD.unschedulable("0/1 nodes are available: 1 Insufficient cpu.")
    staged = scene(V1, waiting)
    staged.controller.queue.get(NOW)
    staged.controller.queue.done(staged.key)
    for name in ("a", "b", "c"):
        staged.sees("nodes", node(name).build(), event="ADDED", now=NOW)
    assert (len(staged.controller.queue), staged.controller.queue.next_due()) == (1, NOW + 1)


def test_a_pass_that_breaks_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    staged = scene(V1)
    other = performer("other")
    staged.sees("performers", other.build(), now=NOW)
    plan = staged.controller.plan

    def broken(key: tuple[str, str], now: float) -> Plan:
        if key == (NAMESPACE, "ml"):
            raise RuntimeError("broken")
        return plan(key, now)

    monkeypatch.setattr(staged.controller, "plan", broken)
    with pytest.raises(RuntimeError):
        staged.controller.take(NOW)
    due = staged.controller.take(NOW)
    assert due is not None
    assert due.key == (NAMESPACE, "other")
    assert staged.controller.queue.next_due() == NOW + 1


def test_memory_is_dropped_with_nothing_to_remember() -> None:
    staged = scene(V1, settings=Settings(status_delay=5))
    plan = staged.plan(NOW)
    pending = plan.memory.pending_status
    assert pending is not None
    staged.controller.finish(Pass(staged.key, staged.uid, plan, NOW), [], NOW)
    assert staged.plan(NOW + 3).memory.pending_status == pending


def test_an_answer_that_nothing_can_be_made_of_is_tried_again() -> None:
    staged = scene(V1)
    assert staged.controller.queue.get(NOW) is not None
    with pytest.raises(KeyError):
        staged.answer(staged.plan(NOW), NOW, 201, body={"message": "a proxy's page"})
    assert staged.controller.queue.next_due() == NOW + Settings().retry_base
    assert staged.controller.queue.get(NOW + 60) == staged.key


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(
    ("asked", "granted"),
    [(30.0, 30.0), (86_400.0, 60.0)],
    ids=["half a minute", "a day, which is too long to leave a Performer alone"],
)
def test_an_api_server_that_asks_to_be_left_alone_is(
    code: int, asked: float, granted: float
) -> None:
    staged = scene(V1)
    assert staged.controller.queue.get(NOW) is not None
    staged.answer(staged.plan(NOW), NOW, code, retry_after=asked)
    staged.sees("nodes", node("node-2").build(), now=NOW)
    staged.sees("pods", POD.build(), now=NOW)
    assert staged.controller.queue.next_due() == NOW + granted


@pytest.mark.parametrize("missing", ["the pod", "nothing but the status"])
def test_writes_that_all_fail_are_ever_rarer(missing: str) -> None:
    serving = POD.on("node-1").ready()
    staged = scene(V1) if missing == "the pod" else scene(V1, serving, serving=[serving])
    made = 0
    for now, due in passes(staged, 1200):
        outcomes = [Outcome(write, 503) for write in due.plan.writes[:1]]
        made += len(outcomes)
        staged.controller.finish(due, outcomes, now)
    assert 20 <= made <= 60


def idle(now: float = 0.0) -> Controller:
    """A controller that knows one Performer and has nothing to do."""
    controller = Controller(CATALOGUE, Settings())
    for resource in RESOURCES:
        objects = [performer("ml").build()] if resource == "performers" else []
        take_list(controller, resource, objects, str(10**8), now)
    taken = controller.take(now)
    assert taken is not None
    controller.finish(taken, (), now)
    while controller.queue.get(now) is not None:
        controller.queue.done(KEY)
    return controller


def test_forgetting_looks_at_every_performer_at_once() -> None:
    controller = idle()
    assert controller.take(0.0) is None
    controller.forget(0.0)
    taken = controller.take(0.0)
    assert taken is not None
    assert taken.key == KEY


def test_forgetting_ends_the_back_off() -> None:
    controller = idle()
    for _ in range(4):
        controller.queue.add_rate_limited(KEY, 1.0)
    controller.forget(5.0)
    controller.queue.get(5.0)
    controller.queue.add_rate_limited(KEY, 5.0)
    controller.queue.done(KEY)
    assert controller.queue.next_due() == 6.0


def test_a_performer_that_is_not_among_the_names_is_gone() -> None:
    controller = idle()
    controller.event_handler.retain("performers", [], str(10**8), 5.0)
    assert controller.cache.performers == {}
    taken = controller.take(5.0)
    assert taken is not None
    assert taken.plan.writes == ()


OTHER = performer("other")


def first_after(staged: Scene, now: float) -> str:
    """Whose pass is the first that is due then, beside the first pass of a new Performer."""
    staged.sees("performers", OTHER.build(), event="ADDED", now=now - 1)
    due = staged.controller.take(now)
    assert due is not None
    return due.key[1]


def test_a_status_that_was_held_back_does_not_go_before_the_first_pass_of_another() -> None:
    staged = scene(V1, POD)
    due = staged.controller.take(NOW)
    assert due is not None
    staged.controller.finish(due, (), NOW)
    assert staged.controller.queue.next_due() == NOW + 2
    assert first_after(staged, NOW + 2) == "other"


def test_a_change_of_a_node_does_not_go_before_the_first_pass_of_another() -> None:
    staged = idle_with_waiting_pod()
    staged.sees("nodes", node("node-2").build(), event="ADDED", now=NOW)
    assert staged.controller.queue.next_due() == NOW + 1
    assert first_after(staged, NOW + 1) == "other"


def test_a_change_of_a_pod_goes_before_the_first_pass_of_another() -> None:
    staged = idle_with_waiting_pod()
    staged.sees("pods", POD.on("node-1").build(), now=NOW)
    assert first_after(staged, NOW) == "ml"


def test_another_try_of_work_that_has_begun_goes_before_the_first_pass_of_another() -> None:
    serving = POD.on("node-1").ready()
    staged = scene(V1, serving, serving=[serving])
    due = staged.controller.take(NOW)
    assert due is not None
    staged.controller.finish(due, [Outcome(due.plan.writes[0], 500)], NOW)
    assert first_after(staged, NOW + 1) == "ml"


def test_after_forgetting_work_that_has_begun_goes_first() -> None:
    staged = idle_with_waiting_pod()
    staged.sees("performers", OTHER.build(), event="ADDED", now=0.0)
    staged.controller.forget(NOW)
    due = staged.controller.take(NOW)
    assert due is not None
    assert due.key[1] == "ml"


def idle_with_waiting_pod() -> Scene:
    staged = scene(V1, POD.unschedulable("0/1 nodes are available: 1 Insufficient cpu."))
    staged.controller.queue.get(NOW)
    staged.controller.queue.done(staged.key)
    return staged


@pytest.mark.parametrize("code", [200, 404], ids=["it was released", "it was gone already"])
def test_answers_about_a_performer_are_not_about_the_next_one_of_its_name(code: int) -> None:
    staged = scene(V1.deleting(NOW))
    plan = staged.plan(NOW)
    assert staged.controller.queue.get(NOW) == staged.key
    staged.sees("performers", V1.deleting(NOW).build(), event="DELETED", now=NOW)
    staged.sees("performers", V1.with_uid("another").build(), now=NOW)
    body = V1.held_by().deleting(NOW).build() if code == 200 else None
    details = {"reason": "NotFound", "details_name": V1.name} if code == 404 else {}
    staged.answer(plan, NOW, code, body=body, **details)
    assert staged.controller.cache.performers[staged.key].uid == "another"
    assert staged.controller.queue.get(NOW) == staged.key


def quota_refuses_the_pod(staged: Scene, due: Pass, now: float) -> None:
    """The writes of a pass up to that of its pod succeed."""
    outcomes: list[Outcome] = []
    for write in due.plan.writes:
        refused = write.resource == "pods"
        outcomes.append(Outcome(write, 403 if refused else 200, "Forbidden" if refused else ""))
        if refused:
            break
    staged.controller.finish(due, outcomes, now)


def written(due: Pass | None) -> list[str]:
    assert due is not None
    return [f"{write.verb} {write.resource}" for write in due.plan.writes]


@pytest.mark.parametrize("seen", ["the watch", "a list"])
def test_what_was_refused_to_a_performer_is_not_to_the_next_one_of_its_name(seen: str) -> None:
    staged = scene(V1)
    first = staged.controller.take(NOW)
    assert first is not None
    quota_refuses_the_pod(staged, first, NOW)
    if seen == "the watch":
        staged.sees("performers", V1.build(), event="DELETED", now=NOW)
    staged.sees("performers", V1.with_uid("another").build(), now=NOW)
    assert "create pods" in written(staged.controller.take(NOW))


def test_a_pass_that_began_before_everything_was_forgotten_remembers_nothing() -> None:
    staged = scene(V1)
    first = staged.controller.take(NOW)
    assert first is not None
    quota_refuses_the_pod(staged, first, NOW)
    second = staged.controller.take(NOW)
    assert second is not None
    assert "create pods" not in written(second)
    # The clock is set back: the time of the next try is an hour away now.
    set_back = NOW - 3600.0
    staged.controller.forget(set_back)
    quota_refuses_the_pod(staged, second, set_back)
    assert "create pods" in written(staged.controller.take(set_back))
