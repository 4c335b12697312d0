"""The simulation's clock driven by the wall clock."""

import threading
import time
from collections.abc import Callable

from hourglass_simulator.clock import Clock

TICK = 0.01
"""Seconds of the wall clock between two looks at what is due."""


class Pace:
    """`speed` seconds of the simulation pass in a second of the wall clock."""

    def __init__(self, speed: float, wall: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._wall = wall
        self._start = wall()

    def now(self) -> float:
        """Where the simulation's clock should be."""
        return (self._wall() - self._start) * self._speed


class StoppedError(Exception):
    """The driver was stopped before what it was driven to."""


class Driver:
    """Runs what is due; others use the cluster under the same lock.

    Whoever drives holds the lock, which is free between two ticks.
    """

    def __init__(self, clock: Clock, pace: Pace, lock: threading.RLock) -> None:
        self._clock = clock
        self._pace = pace
        self._ticks = threading.Condition(lock)
        self._stopped = False

    def drive(self, until: float, done: Callable[[], bool]) -> None:
        """Run until `done` says so or until that time of the simulation. Raises StoppedError."""
        with self._ticks:
            while not self._stopped:
                self._clock.run_until(min(until, self._pace.now()))
                if done() or self._clock.now >= until:
                    return
                self._ticks.wait(TICK)
        raise StoppedError

    def stop(self) -> None:
        """End every drive, now and later."""
        with self._ticks:
            self._stopped = True
            self._ticks.notify_all()
