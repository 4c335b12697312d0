"""The queue of a controller: keys, each once, with a rate limit for those that failed.

https://github.com/kubernetes/client-go/blob/v0.34.4/util/workqueue/rate_limiting_queue.go
"""

from collections.abc import Callable

from hourglass_simulator.apiserver import APIError, CallTimeoutError
from hourglass_simulator.clock import Clock, Timer

Key = tuple[str, str]
"""Namespace and name."""

LATENCY_SECONDS = 0.05
"""From a change to the sync that follows from it; changes in between are taken together."""
RETRY_SECONDS = 0.005
"""Before the first repetition; each further one waits twice as long."""
LONGEST_RETRY_SECONDS = 1000.0


class RetryError(Exception):
    """A sync wants to be repeated, rate limited, though no call of it has failed."""


class WorkQueue:
    """Calls `sync` for each key that was added; a sync whose calls fail is repeated later."""

    def __init__(self, clock: Clock, sync: Callable[[Key], None]) -> None:
        self._clock = clock
        self._sync = sync
        self._ready: set[Key] = set()
        self._waiting: dict[Key, Timer] = {}
        self._failures: dict[Key, int] = {}

    def add(self, key: Key) -> None:
        """Sync soon."""
        if key not in self._ready:
            self._ready.add(key)
            self._clock.after(LATENCY_SECONDS, lambda: self._run(key))

    def add_after(self, key: Key, seconds: float) -> None:
        """Sync in some seconds, or before that if it was asked for earlier."""
        when = self._clock.now + seconds
        waiting = self._waiting.get(key)
        if waiting is not None and waiting.when <= when:
            return
        if waiting is not None:
            waiting.cancel()
        self._waiting[key] = self._clock.at(when, lambda: self._due(key))

    def add_rate_limited(self, key: Key) -> None:
        """Sync after a time that grows with every failure."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(RETRY_SECONDS * 2 ** min(failures, 30), LONGEST_RETRY_SECONDS))

    def failures(self, key: Key) -> int:
        """How many syncs in a row have failed."""
        return self._failures.get(key, 0)

    def _due(self, key: Key) -> None:
        del self._waiting[key]
        self.add(key)

    def _run(self, key: Key) -> None:
        self._ready.discard(key)
        try:
            self._sync(key)
        except (APIError, CallTimeoutError, RetryError):
            self.add_rate_limited(key)
        else:
            self._failures.pop(key, None)
