"""Virtual time: a heap of (time, sequence number, action)."""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime

from hourglass_kube import time

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Timer:
    """A scheduled action; `cancel` makes it a no-op."""

    __slots__ = ("action", "when")

    def __init__(self, when: float, action: Callable[[], object] | None) -> None:
        self.when = when
        self.action = action

    def cancel(self) -> None:
        """Drop the action; cancelling a timer that has run changes nothing."""
        self.action = None


class Clock:
    """Seconds since the start of the simulation, which is at `epoch`.

    Actions at the same time run in the order in which they were scheduled.
    """

    def __init__(self, epoch: datetime = EPOCH) -> None:
        self.now = 0.0
        self.epoch = int(epoch.timestamp())
        """The start of the simulation, in seconds since the Unix epoch."""
        self._heap: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self._second = -1
        self._text = ""

    @property
    def unix_time(self) -> float:
        """Seconds since the Unix epoch."""
        return self.epoch + self.now

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        """Run `action` at `when` seconds, or now if that has passed."""
        timer = Timer(max(when, self.now), action)
        self._sequence += 1
        heapq.heappush(self._heap, (timer.when, self._sequence, timer))
        return timer

    def after(self, delay: float, action: Callable[[], object]) -> Timer:
        """Run `action` `delay` seconds from now."""
        return self.at(self.now + delay, action)

    def step(self, until: float = float("inf")) -> bool:
        """Run the next action due no later than `until`; False if there is none."""
        while self._heap and self._heap[0][0] <= until:
            when, _, timer = heapq.heappop(self._heap)
            if timer.action is None:
                continue
            self.now = when
            action, timer.action = timer.action, None
            action()
            return True
        return False

    def run_until(self, when: float) -> None:
        """Run every action due no later than `when`, then move the clock to `when`."""
        while self.step(when):
            pass
        self.now = max(self.now, when)

    def timestamp(self) -> str:
        """Now as metav1.Time prints it: RFC 3339 in UTC, whole seconds."""
        second = int(self.now)
        if second != self._second:
            self._second, self._text = second, self.timestamp_after(0)
        return self._text

    def timestamp_after(self, delay: float) -> str:
        """The moment `delay` seconds from now, in the same form."""
        return time.from_seconds(self.epoch + int(self.now + delay))
