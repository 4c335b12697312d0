"""The simulation's clock driven by the wall clock."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hourglass_simulator.clock import Clock
from hourglass_simulator.scenario import duration

TICK = 0.01
"""Seconds of the wall clock between two looks at what is due."""


class Pace:
    """`speed` seconds of the simulation pass in a second of the wall clock."""

    def __init__(self, speed: float, wall: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._wall = wall
        self._since = wall()
        self._at = 0.0
        """Where the simulation's clock was to be at `since` of the wall clock."""
        self._until = math.inf

    @property
    def speed(self) -> float:
        """Seconds of the simulation in a second of the wall clock."""
        return self._speed

    def now(self) -> float:
        """Where the simulation's clock should be."""
        return self._at_wall(self._wall())

    def _at_wall(self, wall: float) -> float:
        return min(self._until, self._at + (wall - self._since) * self._speed)

    def skip(self, seconds: float) -> None:
        """Have the simulation's clock so much further at once."""
        self._at += seconds

    def change(self, speed: float, until: float = math.inf) -> float:
        """Go on at another speed, at most until that time; returns the speed until now."""
        wall = self._wall()
        self._since, self._at, self._until = wall, self._at_wall(wall), until
        before, self._speed = self._speed, speed
        return before


class StoppedError(Exception):
    """The driver was stopped before what it was driven to."""


class Driver:
    """Runs what is due; others use the cluster under the same lock.

    Whoever drives holds the lock, which is free between two ticks.
    """

    def __init__(
        self,
        clock: Clock,
        pace: Pace,
        lock: threading.RLock,
        failed: Callable[[], object] = lambda: None,
    ) -> None:
        """`failed` is called when there is a `failure`."""
        self._clock = clock
        self._pace = pace
        self._ticks = threading.Condition(lock)
        self._stopped = False
        self._speed = pace.speed
        self._paused = False
        self._failed = failed
        self.failure: Exception | None = None
        """The first that a component of the cluster has raised, which does nothing since then."""

    @property
    def speed(self) -> float:
        """Seconds of the simulation in a second of the wall clock, whenever it is not paused."""
        return self._speed

    @property
    def paused(self) -> bool:
        """Whether time stands still but for `advance`."""
        return self._paused

    def pause(self) -> None:
        """Let time stand still."""
        self._go_on(self._speed, paused=True)

    def resume(self) -> None:
        """Let time pass again."""
        self._go_on(self._speed, paused=False)

    def run_at(self, speed: float) -> None:
        """Let time pass at another speed, from now on or once it is resumed."""
        self._go_on(speed, paused=self._paused)

    def _go_on(self, speed: float, *, paused: bool) -> None:
        with self._ticks:
            self._speed, self._paused = speed, paused
            self._pace.change(0.0 if paused else speed)

    def drive(self, until: float, done: Callable[[], bool]) -> None:
        """Run until `done` says so or until that time of the simulation. Raises StoppedError."""
        with self._ticks:
            while not self._stopped:
                self._run(min(until, self._pace.now()))
                if done() or self._clock.now >= until:
                    return
                self._ticks.wait(TICK)
        raise StoppedError

    def advance(self, seconds: float) -> None:
        """Run what is due in the next seconds of the simulation at once."""
        with self._ticks:
            self._pace.skip(seconds)
            self._run(self._clock.now + seconds)

    def _run(self, until: float) -> None:
        try:
            self._clock.run_until(until)
        except Exception as error:
            self.fail(error)
            raise

    def fail(self, error: Exception) -> None:
        """Take note of what a component of the cluster, or what is played on it, has raised."""
        if self.failure is None:
            self.failure = error
            since = duration.text(self._clock.now)
            error.add_note(f"in the simulated cluster, {since} after its start")
            self._failed()

    @contextmanager
    def at_speed(self, speed: float, until: float) -> Iterator[None]:
        """Within the `with` block time passes at another speed, and stands still from `until` on.

        So a machine that is too slow for the speed plays no more than that, however late it is.
        """
        with self._ticks:
            before = self._pace.change(speed, until)
        try:
            yield
        finally:
            with self._ticks:
                self._pace.change(before)

    def stop(self) -> None:
        """End every drive, now and later."""
        with self._ticks:
            self._stopped = True
            self._ticks.notify_all()
