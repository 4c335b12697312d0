"""When this process may write: the one place that says so."""

from collections.abc import Callable
from typing import Protocol


class Leadership(Protocol):
    """Whether this process leads."""

    def remaining(self) -> float:
        """Seconds for which it still leads; 0 if it does not."""
        ...


class AlwaysLeading:
    """Without election: the only replica leads."""

    def remaining(self) -> float:
        """For ever."""
        return float("inf")


class MayWrite:
    """It leads, and its informers know the cluster.

    Asked before a pass and again before each of its writes: in between the process may have been
    suspended, and another may lead by now.
    """

    def __init__(self, leadership: Leadership, has_synced: Callable[[], bool]) -> None:
        self._leadership = leadership
        self._has_synced = has_synced

    def seconds(self) -> float:
        """For how long it may; 0 if it may not."""
        return self._leadership.remaining() if self._has_synced() else 0.0
