"""The work queue: no lost request, no two passes at once, back-off per key."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hourglass_kube.backoff import backoff
from hourglass_operator.controller.queue import HIGH_IN_A_ROW, Priority, WorkQueue


def queue() -> WorkQueue[str]:
    return WorkQueue(retry_base=1.0, retry_limit=8.0)


def test_keys_due_at_the_same_time_come_out_in_the_order_they_went_in() -> None:
    work = queue()
    for key in "bca":
        work.add(key, 1.0)
    assert [work.get(1.0) for _ in range(4)] == ["b", "c", "a", None]


def test_a_key_asked_for_twice_comes_out_once_at_the_earlier_time() -> None:
    work = queue()
    work.add("a", 5.0)
    work.add("a", 2.0)
    work.add("a", 9.0)
    assert (len(work), work.next_due()) == (1, 2.0)
    assert (work.get(1.9), work.get(2.0), work.get(99.0)) == (None, "a", None)
    work.done("a")
    assert work.get(99.0) is None


def test_only_keys_that_are_due_are_waiting() -> None:
    work = queue()
    work.add("a", 1.0)
    work.add("b", 2.0)
    work.add("c", 99.0)
    assert [work.waiting(now) for now in (0.0, 1.0, 2.0)] == [0, 1, 2]
    work.get(2.0)
    assert work.waiting(2.0) == 1


def test_requests_that_were_overtaken_do_not_pile_up() -> None:
    work = queue()
    tracemalloc.start()
    for now in range(10_000):
        work.add("a", now + 20_000.0)
        work.add("a", float(now))
        assert work.get(float(now)) == "a"
        work.done("a")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000
    assert len(work) == 0


def test_after_clearing_away_what_was_overtaken_the_order_is_the_same() -> None:
    work = queue()
    for number in range(1000):
        work.add("b", 2000.0 - number)
    work.add("a", 500.0)
    assert [work.get(9999.0), work.get(9999.0), work.get(9999.0)] == ["a", "b", None]


def test_a_retry_comes_not_before_it_is_allowed() -> None:
    work = queue()
    work.hold("a", 60.0)
    work.add_rate_limited("a", 0.0)
    assert work.next_due() == 60.0
    work.hold("b", 0.1)
    work.add_rate_limited("b", 0.0)
    assert work.next_due() == 1.0


def test_while_a_key_is_to_be_left_alone_nothing_else_brings_it_out() -> None:
    work = queue()
    work.add("a", 0.0)
    work.get(0.0)
    work.add("a", 0.0)
    work.hold("a", 60.0)
    work.add_rate_limited("a", 0.0)
    work.done("a")
    work.add("a", 5.0)
    assert (work.next_due(), work.get(59.9), work.get(60.0)) == (60.0, None, "a")
    work.done("a")
    work.forget("a")
    work.add("a", 10.0)
    assert work.next_due() == 10.0


def test_a_key_in_work_is_given_out_again_only_after_done() -> None:
    work = queue()
    work.add("a", 0.0)
    work.get(0.0)
    work.add("a", 3.0)
    work.add("a", 1.0)
    assert (work.get(9.0), work.next_due()) == (None, None)
    work.done("a")
    assert (work.next_due(), work.get(1.0)) == (1.0, "a")


def test_failures_double_the_wait_up_to_the_limit_until_forgiven() -> None:
    work = queue()
    waits = []
    now = 100.0
    for _ in range(6):
        work.add_rate_limited("a", now)
        due = work.next_due()
        assert due is not None
        waits.append(due - now)
        now = due
        work.get(now)
        work.done("a")
    assert waits == [1, 2, 4, 8, 8, 8]
    work.forget("a")
    work.add_rate_limited("a", 0.0)
    assert work.next_due() == 1.0


def test_high_priority_goes_first_among_those_that_are_due() -> None:
    work = queue()
    work.add("a", 0.0)
    work.add("b", 1.0, Priority.HIGH)
    work.add("c", 9.0, Priority.HIGH)
    assert [work.get(2.0) for _ in range(3)] == ["b", "a", None]


@pytest.mark.parametrize("order", ["high first", "high last"])
def test_the_highest_priority_and_the_earliest_time_of_a_key_count(order: str) -> None:
    work = queue()
    work.add("a", 0.0)
    requests = [(5.0, Priority.HIGH), (1.0, Priority.NORMAL)]
    for when, priority in requests if order == "high first" else requests[::-1]:
        work.add("b", when, priority)
    assert (len(work), work.next_due()) == (2, 0.0)
    assert [work.get(1.0) for _ in range(3)] == ["b", "a", None]


def test_a_request_of_high_priority_for_a_key_in_work_keeps_it() -> None:
    work = queue()
    work.add("a", 0.0)
    assert work.get(0.0) == "a"
    work.add("a", 3.0)
    work.add("a", 1.0, Priority.HIGH)
    work.add("b", 0.0)
    work.done("a")
    assert [work.get(1.0), work.get(1.0)] == ["a", "b"]


def test_normal_priority_does_not_starve() -> None:
    work = queue()
    for key in "xyz":
        work.add(key, 0.0)
    taken = []
    for number in range(3 * (HIGH_IN_A_ROW + 1)):
        for high in range(number, number + 2):
            work.add(f"high-{high}", 0.0, Priority.HIGH)
        got = work.get(0.0)
        assert got is not None
        taken.append(got)
        work.done(got)
    places = [taken.index(key) for key in "xyz"]
    assert places == [HIGH_IN_A_ROW, 2 * HIGH_IN_A_ROW + 1, 3 * HIGH_IN_A_ROW + 2]


def test_high_priority_alone_owes_nobody_a_place() -> None:
    work = queue()
    for number in range(3 * HIGH_IN_A_ROW):
        work.add(f"high-{number}", 0.0, Priority.HIGH)
        assert work.get(0.0) == f"high-{number}"
    work.add("late", 0.0)
    work.add("high", 0.0, Priority.HIGH)
    assert [work.get(0.0), work.get(0.0)] == ["high", "late"]


FAILURES: list[tuple[str, list[float], list[float]]] = [
    ("each is due", [0, 1, 3, 7], [1, 3, 7, 15]),
    ("one comes later than it was due", [0, 5], [1, 7]),
    ("some come before they are due", [0, 0.1, 0.2, 0.9], [1, 1, 1, 1]),
    ("after some that were not due the wait doubles once", [0, 0.1, 0.2, 1], [1, 1, 1, 3]),
    ("the second back-off is interrupted too", [0, 1, 1.5, 2.9, 3], [1, 3, 3, 3, 7]),
]


@pytest.mark.parametrize(
    ("failures", "due"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES]
)
def test_only_failures_that_were_due_raise_the_wait(
    failures: list[float], due: list[float]
) -> None:
    work = queue()
    seen = []
    for now in failures:
        # Something has happened: a pass is made whether the key is due or not.
        work.add("a", now)
        assert work.get(now) == "a"
        work.add_rate_limited("a", now)
        work.done("a")
        seen.append(work.next_due())
    assert seen == due


def test_the_back_off_of_one_key_leaves_others_alone() -> None:
    work = queue()
    for now in (0.0, 1.0):
        work.add_rate_limited("a", now)
        work.get(99.0)
        work.done("a")
    work.add_rate_limited("a", 3.0)
    work.add_rate_limited("b", 3.0)
    assert work.get(4.0) == "b"
    assert work.get(6.9) is None
    assert work.get(7.0) == "a"


@given(st.integers(min_value=0, max_value=10_000))
def test_back_off_stays_within_its_limit(attempt: int) -> None:
    assert 10 <= backoff(10, 300, attempt) <= 300


class QueueMachine(RuleBasedStateMachine):
    """A naive model, a dictionary of due times, beside the real queue."""

    def __init__(self) -> None:
        super().__init__()
        self.work = queue()
        self.due: dict[str, float] = {}
        self.taken: dict[str, float | None] = {}
        self.now = 0.0

    @rule(key=st.sampled_from("abc"), delay=st.integers(0, 5), priority=st.sampled_from(Priority))
    def add(self, key: str, delay: int, priority: Priority) -> None:
        when = self.now + delay
        self.work.add(key, when, priority)
        if key in self.taken:
            asked = self.taken[key]
            self.taken[key] = when if asked is None else min(asked, when)
        else:
            self.due[key] = min(when, self.due.get(key, when))

    @rule(delay=st.integers(0, 3))
    def take(self, delay: int) -> None:
        self.now += delay
        key = self.work.get(self.now)
        if key is None:
            assert all(when > self.now for when in self.due.values())
        else:
            assert self.due.pop(key) <= self.now
            self.taken[key] = None

    @rule(key=st.sampled_from("abc"))
    def done(self, key: str) -> None:
        self.work.done(key)
        asked = self.taken.pop(key, None)
        if asked is not None:
            self.due[key] = asked

    @invariant()
    def nothing_is_lost(self) -> None:
        assert len(self.work) == len(self.due)
        assert self.work.next_due() == min(self.due.values(), default=None)


TestQueueMachine = QueueMachine.TestCase
