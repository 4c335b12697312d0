"""Time that does not jump."""

import time
from collections.abc import Callable

TOLERANCE = 1.0
"""Seconds that the machine's clock may drift or be slewed without being followed."""


def steady() -> float:
    """Seconds that nobody can set, and that go on while the machine is suspended (on Linux).

    CLOCK_MONOTONIC stands still then: https://man7.org/linux/man-pages/man2/clock_gettime.2.html
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Clock:
    """Seconds since the Unix epoch, advancing steadily.

    The machine's clock can be set while the operator runs. Waiting must not depend on that, but
    times are compared with those of the API server: so the clock runs steadily, and follows the
    machine's clock when asked to.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = steady,
    ) -> None:
        self._wall = wall
        self.steady = monotonic
        """Seconds of an arbitrary start, which nobody can set."""
        self._offset = wall() - monotonic()

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self.steady() + self._offset

    def follow(self) -> float:
        """Follow the machine's clock if it was set; by how many seconds, 0 if it was not."""
        jump = self._wall() - self.now()
        if abs(jump) <= TOLERANCE:
            return 0.0
        self._offset += jump
        return jump
