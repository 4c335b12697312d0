"""A clock that runs steadily while the machine's is set, or the machine suspended."""

import time

import pytest

from hourglass_operator.runtime.clock import Clock, steady


class Times:
    def __init__(self) -> None:
        self.wall, self.monotonic = 1_000_000.0, 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.monotonic)


def test_it_shows_the_time_of_day() -> None:
    times = Times()
    clock = times.clock()
    times.pass_by(5.0)
    assert clock.now() == 1_000_005.0
    assert clock.follow() == 0.0


def test_it_does_not_jump_by_itself() -> None:
    times = Times()
    clock = times.clock()
    times.wall -= 3600.0
    times.pass_by(5.0)
    assert clock.now() == 1_000_005.0


def test_it_follows_when_asked_to() -> None:
    times = Times()
    clock = times.clock()
    times.wall -= 3600.0
    assert clock.follow() == -3600.0
    assert clock.now() == times.wall
    assert clock.follow() == 0.0


def test_it_does_not_follow_what_is_slewed() -> None:
    times = Times()
    clock = times.clock()
    times.wall += 0.9
    assert clock.follow() == 0.0
    assert clock.now() == 1_000_000.0


def test_it_goes_on_while_the_machine_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"boot": 50.0}
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", "boot", raising=False)
    monkeypatch.setattr(time, "clock_gettime", now.get)
    clock = Clock(lambda: 1_000_000.0)
    now["boot"] += 3600.0
    assert clock.now() == 1_003_600.0


def test_systems_without_such_a_clock_have_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: 7.0)
    assert steady() == 7.0
