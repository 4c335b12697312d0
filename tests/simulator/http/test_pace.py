"""The simulation's clock at the pace of another one."""

import threading
from collections.abc import Callable

import pytest

from hourglass_simulator.clock import Clock
from hourglass_simulator.http.pace import Driver, Pace, StoppedError


class Wall:
    """A clock that advances by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 1.0), (10.0, 10.0), (0.5, 0.5)])
def test_so_much_faster_than_the_wall_clock(speed: float, seconds: float) -> None:
    assert Pace(speed, Wall()).now() == seconds


def driver(clock: Clock) -> Driver:
    return Driver(clock, Pace(1.0, Wall()), threading.RLock())


def test_what_is_due_happens_until_then() -> None:
    clock, happened = Clock(), []
    for when in (0.5, 2.0, 9.0):
        clock.at(when, lambda when=when: happened.append(when))  # type: ignore[misc]
    driver(clock).drive(3.0, lambda: False)
    assert happened == [0.5, 2.0]
    assert clock.now == 3.0


def test_a_machine_that_is_late_plays_no_further_than_asked_for() -> None:
    pace = Pace(1.0, Wall())
    driving = Driver(Clock(), pace, threading.RLock())
    with driving.at_speed(1000.0, until=10.0):
        assert [pace.now(), pace.now()] == [10.0, 10.0]
    assert [pace.now(), pace.now()] == [11.0, 12.0]


def test_it_ends_early_when_it_is_done() -> None:
    clock = Clock()
    driver(clock).drive(100.0, lambda: clock.now >= 2.0)
    assert clock.now == 2.0


def test_once_stopped_it_drives_no_more() -> None:
    clock = Clock()
    stopped = driver(clock)
    clock.at(2.0, stopped.stop)
    with pytest.raises(StoppedError):
        stopped.drive(100.0, lambda: False)
    with pytest.raises(StoppedError):
        stopped.drive(200.0, lambda: False)
    assert clock.now == 2.0


def test_others_have_the_lock_between_two_ticks() -> None:
    clock, lock = Clock(), threading.RLock()
    driving = Driver(clock, Pace(1e-9), lock)

    def drive() -> None:
        with pytest.raises(StoppedError), lock:
            driving.drive(1.0, lambda: False)

    thread = threading.Thread(target=drive)
    thread.start()
    with lock:
        driving.stop()
    thread.join(300)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "pass_time",
    [lambda driving: driving.drive(100.0, lambda: False), lambda driving: driving.advance(100.0)],
    ids=["driven", "advanced"],
)
def test_what_a_component_raises_is_told_once(pass_time: Callable[[Driver], None]) -> None:
    clock, failures = Clock(), list[str]()
    driving = Driver(clock, Pace(1.0, Wall()), threading.RLock(), lambda: failures.append("failed"))

    def fail() -> None:
        raise KeyError("a bug")

    clock.at(2.0, fail)
    clock.at(3.0, fail)
    for _ in range(2):
        with pytest.raises(KeyError):
            pass_time(driving)
    assert failures == ["failed"]
    assert isinstance(driving.failure, KeyError)
    assert driving.failure.__notes__ == ["in the simulated cluster, 2s after its start"]
