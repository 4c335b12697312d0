"""The API server's time, advancing steadily."""

import time
from collections.abc import Callable

TOLERANCE = 1.0
"""Seconds by which the API server's clock may be found elsewhere without anything to look at."""


def steady() -> float:
    """Seconds that nobody can set, and that go on while the machine is suspended (on Linux).

    CLOCK_MONOTONIC stands still then: https://man7.org/linux/man-pages/man2/clock_gettime.2.html
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Clock:
    """Seconds since the Unix epoch by the API server's clock, advancing steadily.

    Times in objects are by that clock, and the machine's may differ from it by minutes, or be set.
    Until the first answer the machine's time of day is all there is.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = steady,
    ) -> None:
        self.steady = monotonic
        """Seconds of an arbitrary start, which nobody can set."""
        self._offset = wall() - monotonic()

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self.steady() + self._offset

    def hear(self, date: int, sent: float, received: float) -> float:
        """Follow the API server, which said `date` between two moments of `steady`.

        Its clock showed anything from `date` to a second later, at a moment that is not known
        better: as long as that agrees with this clock, this clock is as good as any. Otherwise it
        goes to the earliest time that is possible, so that no time of this clock is in the server's
        future, and later answers move it on. Returns by how many seconds it was moved.
        """
        earliest, latest = date - received, date + 1 - sent
        if earliest <= self._offset <= latest:
            return 0.0
        jump, self._offset = earliest - self._offset, earliest
        return jump
