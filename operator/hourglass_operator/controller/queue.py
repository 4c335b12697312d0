"""The work queue: keys that need a pass, each at most once, each with its own back-off.

Modelled on client-go's rate limiting queue (https://pkg.go.dev/k8s.io/client-go/util/workqueue).
There each failure doubles the back-off. Here one that comes before the back-off is over does not:
what the key's own earlier writes caused to be looked at would otherwise lead to the limit at once.
It has no clock: every call is told the time.
"""

import heapq
from typing import Generic, TypeVar

from hourglass_kube.backoff import backoff

K = TypeVar("K")

_OVERTAKEN = 64
"""Entries of the heap that may be overtaken by earlier requests before they are cleared away."""


class WorkQueue(Generic[K]):
    """Times are seconds; keys that are due at the same time come out in the order they went in."""

    def __init__(self, retry_base: float, retry_limit: float) -> None:
        self._base = retry_base
        self._limit = retry_limit
        self._heap: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._processing: dict[K, float | None] = {}
        self._failures: dict[K, tuple[int, float]] = {}
        """How many failures count, and when the back-off after the last of them is over."""
        self._held: dict[K, float] = {}
        """Until when the API server asks to be left alone."""
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._due)

    def waiting(self, now: float) -> int:
        """How many keys are due and not taken yet."""
        return sum(when <= now for when in self._due.values())

    def add(self, key: K, when: float) -> None:
        """Ask for a pass over `key` at `when`; the earliest request counts.

        A request for a key that is being processed is kept until `done`; one for a key that the
        API server wants to hear of later comes then.
        """
        if key in self._processing:
            asked = self._processing[key]
            self._processing[key] = when if asked is None else min(asked, when)
            return
        when = max(when, self._held.get(key, when))
        due = self._due.get(key)
        if due is not None and due <= when:
            return
        self._due[key] = when
        self._sequence += 1
        heapq.heappush(self._heap, (when, self._sequence, key))
        if len(self._heap) > 2 * len(self._due) + _OVERTAKEN:
            self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)

    def retry(self, key: K, now: float) -> None:
        """Ask for another pass after this key's back-off."""
        failures, due = self._failures.get(key, (0, now))
        if now >= due:
            due = now + backoff(self._base, self._limit, failures)
            self._failures[key] = (failures + 1, due)
        self.add(key, due)

    def hold(self, key: K, until: float) -> None:
        """Give no pass over `key` until then, whatever asks for one from now on."""
        self._held[key] = until

    def forgive(self, key: K) -> None:
        """Start the back-off of `key` from the beginning, and hold it no longer."""
        self._failures.pop(key, None)
        self._held.pop(key, None)

    def take(self, now: float) -> K | None:
        """The next key that is due, or None; `done` must follow."""
        due = self.next_due()
        if due is None or due > now:
            return None
        _, _, key = heapq.heappop(self._heap)
        del self._due[key]
        self._processing[key] = None
        return key

    def done(self, key: K) -> None:
        """The pass over `key` has ended; what was asked for meanwhile becomes due."""
        asked = self._processing.pop(key, None)
        if asked is not None:
            self.add(key, asked)

    def next_due(self) -> float | None:
        """When the next key is due; None when nothing waits."""
        # An entry that an earlier request has overtaken stays in the heap until it comes up.
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
