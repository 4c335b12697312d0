"""The work queue: keys that need a pass, each at most once, each with its own back-off.

Modelled on client-go's rate limiting queue (https://pkg.go.dev/k8s.io/client-go/util/workqueue) and
on controller-runtime's priority queue
(https://pkg.go.dev/sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue). In both each
failure doubles the back-off. Here one that comes before the back-off is over does not: what the
key's own earlier writes caused to be looked at would otherwise lead to the limit at once. It has no
clock: the time is handed in.
"""

import heapq
from enum import IntEnum
from typing import Generic, TypeVar

from hourglass_kube.backoff import backoff

K = TypeVar("K")

_STALE = 64
"""Entries of a heap that may have been replaced before they are cleared away."""

HIGH_IN_A_ROW = 8
"""Keys of high priority that may go before one of normal priority that is due."""


class Priority(IntEnum):
    """Which of the keys that are due goes first."""

    NORMAL = 0
    HIGH = 1


class WorkQueue(Generic[K]):
    """Keys of high priority go first, but every ninth place is for the oldest of the others.

    Times are seconds. Keys of one priority come out in the order of the times at which they are
    due, and at the same time in the order in which they went in.
    """

    def __init__(self, retry_base: float, retry_limit: float) -> None:
        self._base = retry_base
        self._limit = retry_limit
        self._heaps: dict[Priority, list[tuple[float, int, K]]] = {p: [] for p in Priority}
        self._due: dict[K, tuple[float, Priority]] = {}
        self._processing: dict[K, tuple[float, Priority] | None] = {}
        self._failures: dict[K, tuple[int, float]] = {}
        """How many failures count, and when the back-off after the last of them is over."""
        self._held: dict[K, float] = {}
        """Until when the API server asks to be left alone."""
        self._sequence = 0
        self._high_in_a_row = 0

    def __len__(self) -> int:
        return len(self._due)

    def waiting(self, now: float) -> int:
        """How many keys are due and not taken yet."""
        return sum(when <= now for when, _ in self._due.values())

    def add(self, key: K, when: float, priority: Priority = Priority.NORMAL) -> None:
        """Ask for a pass over `key` at `when`; the earliest time and the highest priority count.

        A request for a key that is being processed is kept until `done`; one for a key that the
        API server wants to hear of later comes then.
        """
        if key in self._processing:
            self._processing[key] = _sooner(self._processing[key], (when, priority))
            return
        when = max(when, self._held.get(key, when))
        before = self._due.get(key)
        due = _sooner(before, (when, priority))
        if due == before:
            return
        self._due[key] = due
        self._sequence += 1
        heap = self._heaps[due[1]]
        heapq.heappush(heap, (due[0], self._sequence, key))
        if len(heap) > 2 * len(self._due) + _STALE:
            heap[:] = [entry for entry in heap if self._due.get(entry[2]) == (entry[0], due[1])]
            heapq.heapify(heap)

    def add_rate_limited(self, key: K, now: float, priority: Priority = Priority.NORMAL) -> None:
        """Ask for another pass after this key's back-off."""
        failures, due = self._failures.get(key, (0, now))
        if now >= due:
            due = now + backoff(self._base, self._limit, failures)
            self._failures[key] = (failures + 1, due)
        self.add(key, due, priority)

    def hold(self, key: K, until: float) -> None:
        """Give no pass over `key` until then, whatever asks for one from now on."""
        self._held[key] = until

    def forget(self, key: K) -> None:
        """Start the back-off of `key` from the beginning, and hold it no longer."""
        self._failures.pop(key, None)
        self._held.pop(key, None)

    def get(self, now: float) -> K | None:
        """The next key that is due, or None; `done` must follow."""
        high, normal = (
            self._is_due(priority, now) for priority in (Priority.HIGH, Priority.NORMAL)
        )
        if not high and not normal:
            return None
        if high and not (normal and self._high_in_a_row >= HIGH_IN_A_ROW):
            self._high_in_a_row = self._high_in_a_row + 1 if normal else 0
            heap = self._heaps[Priority.HIGH]
        else:
            self._high_in_a_row = 0
            heap = self._heaps[Priority.NORMAL]
        _, _, key = heapq.heappop(heap)
        del self._due[key]
        self._processing[key] = None
        return key

    def done(self, key: K) -> None:
        """The pass over `key` has ended; what was asked for meanwhile becomes due."""
        asked = self._processing.pop(key, None)
        if asked is not None:
            self.add(key, *asked)

    def next_due(self) -> float | None:
        """When the next key is due; None when nothing waits."""
        return min(
            (heap[0][0] for heap in map(self._cleared, Priority) if heap),
            default=None,
        )

    def _is_due(self, priority: Priority, now: float) -> bool:
        heap = self._cleared(priority)
        return bool(heap) and heap[0][0] <= now

    def _cleared(self, priority: Priority) -> list[tuple[float, int, K]]:
        """The heap, after entries on its top that later requests have replaced are gone."""
        heap = self._heaps[priority]
        while heap and self._due.get(heap[0][2]) != (heap[0][0], priority):
            heapq.heappop(heap)
        return heap


def _sooner(
    before: tuple[float, Priority] | None, asked: tuple[float, Priority]
) -> tuple[float, Priority]:
    if before is None:
        return asked
    return min(before[0], asked[0]), max(before[1], asked[1])
