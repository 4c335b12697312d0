"""The virtual clock."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_simulator.clock import Clock


@given(st.lists(st.integers(0, 20), max_size=30))
def test_actions_run_by_time_and_then_in_the_order_of_scheduling(times: list[int]) -> None:
    clock, ran = Clock(), list[tuple[int, int]]()
    for index, when in enumerate(times):
        clock.at(when, partial(ran.append, (when, index)))
    clock.run_until(20)
    assert ran == sorted((when, index) for index, when in enumerate(times))
    assert clock.now == 20


def test_an_action_sees_its_own_time_and_may_schedule_more() -> None:
    clock, seen = Clock(), list[float]()

    def again() -> None:
        seen.append(clock.now)
        if len(seen) < 3:
            clock.after(1.5, again)

    clock.at(1, again)
    clock.run_until(10)
    assert seen == [1, 2.5, 4]


def test_what_is_scheduled_in_the_past_runs_now() -> None:
    clock, seen = Clock(), list[float]()
    clock.run_until(5)
    clock.at(1, lambda: seen.append(clock.now))
    assert clock.step()
    assert seen == [5]


def test_a_cancelled_timer_does_nothing() -> None:
    clock, seen = Clock(), list[float]()
    timer = clock.after(1, lambda: seen.append(clock.now))
    timer.cancel()
    clock.run_until(2)
    timer.cancel()
    assert seen == []
    assert not clock.step()


def test_time_does_not_pass_beyond_what_was_asked() -> None:
    clock, seen = Clock(), list[float]()
    clock.at(3, lambda: seen.append(clock.now))
    assert not clock.step(until=2)
    clock.run_until(2)
    assert (clock.now, seen) == (2, [])


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (0.0, "2026-01-01T00:00:00Z"),
        (0.999, "2026-01-01T00:00:00Z"),
        (86_400.5, "2026-01-02T00:00:00Z"),
        (31_536_000.0, "2027-01-01T00:00:00Z"),
    ],
)
def test_timestamps_are_whole_seconds(now: float, text: str) -> None:
    clock = Clock()
    clock.run_until(now)
    assert clock.timestamp() == text
