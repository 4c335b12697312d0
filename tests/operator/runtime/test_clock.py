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


def test_it_does_not_jump_by_itself() -> None:
    times = Times()
    clock = times.clock()
    times.wall -= 3600.0
    times.pass_by(5.0)
    assert clock.now() == 1_000_005.0


ANSWERS = [
    ("that agrees", 1_000_000, 50.0, 50.01, 0.0),
    ("at the end of its second", 999_999, 50.0, 50.01, 0.0),
    ("of a clock that is behind", 999_400, 50.0, 50.25, -600.25),
    ("of a clock that is ahead", 1_000_600, 50.0, 50.25, 599.75),
    ("that took so long that it says little", 1_000_010, 40.0, 70.0, 0.0),
    ("of a clock that is a second behind", 999_998, 50.0, 50.0, -2.0),
]


@pytest.mark.parametrize(
    ("date", "sent", "received", "moved"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS]
)
def test_it_hears_an_answer(date: int, sent: float, received: float, moved: float) -> None:
    clock = Times().clock()
    assert clock.hear(date, sent, received) == moved
    assert clock.now() == 1_000_000.0 + moved


@pytest.mark.parametrize("ahead", [-600.0, -0.7, 0.0, 0.7, 600.0])
def test_it_comes_close_to_the_servers_clock_and_is_never_ahead(ahead: float) -> None:
    times = Times()
    clock = Clock(lambda: times.wall + ahead, lambda: times.monotonic)
    for _ in range(40):
        times.pass_by(2.05)
        sent, server = times.monotonic, times.wall + 0.01
        times.pass_by(0.02)
        clock.hear(int(server), sent, times.monotonic)
    error = clock.now() - times.wall
    assert -0.1 <= error <= max(0.0, min(ahead, 1.0))


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
