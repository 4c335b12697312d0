"""Pods that wait for a node: to be tried, to be tried again, or for something to change.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/backend/queue/scheduling_queue.go
"""

import heapq
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from hourglass_kube.backoff import backoff
from hourglass_kube.types import JSON
from hourglass_simulator.scheduler.filters import Filters
from hourglass_simulator.scheduler.pod import PodInfo, kind_of
from hourglass_simulator.scheduler.requeue import Rejected

BACKOFF_BASE, BACKOFF_LIMIT = 1.0, 10.0
FLUSH = 300.0
"""Pods that nothing has happened for are tried again after this many seconds."""

_Alike = tuple[str, str, object, object, frozenset[str]]


@dataclass(slots=True)
class Pending:
    """A pod without a node; `since` is when it was put here or judged last, in seconds."""

    pod: JSON
    info: PodInfo
    since: float
    failures: int = 0
    """Rejections in all."""
    errors: int = 0
    """Failed calls in a row."""
    queued: bool = False
    alike: _Alike | None = None
    """The pods that it waits with for something to change."""


class Queue:
    """The most important pods first, then those that have waited longest."""

    def __init__(self, served: Collection[str] = ()) -> None:
        """`served`: extended resources of device classes; it may change."""
        self.pending: dict[str, Pending] = {}
        """By uid."""
        self._served = served
        self._active: list[tuple[int, float, int, str]] = []
        self._rejected: dict[_Alike, Rejected] = {}
        self._sequence = 0

    def put(self, uid: str) -> bool:
        """Try a pod soon; False if it is to be tried anyway or is gone."""
        waiting = self.pending.get(uid)
        if waiting is None or waiting.queued:
            return False
        self._leave(uid, waiting)
        waiting.queued = True
        self._sequence += 1
        entry = (-waiting.info.priority, waiting.since, self._sequence, uid)
        heapq.heappush(self._active, entry)
        return True

    def pop(self) -> Pending | None:
        """The next pod to be tried."""
        while self._active:
            uid = heapq.heappop(self._active)[3]
            waiting = self.pending.get(uid)
            if waiting is not None and waiting.queued:
                waiting.queued = False
                return waiting
        return None

    def reject(self, waiting: Pending, by: frozenset[str], now: float) -> None:
        """Keep a pod until something changes that may help against what rejected it."""
        waiting.since = now
        waiting.failures += 1
        waiting.errors = 0
        info = waiting.info
        terms = (info.namespace, info.terms) if info.terms else None
        claims = (info.namespace, info.volume_claims, info.resource_claims)
        own = claims if info.volume_claims or info.resource_claims else None
        waiting.alike = alike = (kind_of(info), str(sorted(by)), terms, own, by)
        group = self._rejected.get(alike)
        if group is None:
            group = self._rejected[alike] = Rejected(info, by, Filters(info, self._served))
        group.uids[info.uid] = None

    def err(self, waiting: Pending, now: float) -> float:
        """A call about a pod failed; returns the seconds after which it is tried again."""
        waiting.since = now
        waiting.errors += 1
        return backoff(BACKOFF_BASE, BACKOFF_LIMIT, waiting.errors - 1)

    def forget(self, uid: str) -> None:
        """A pod needs no node any more."""
        waiting = self.pending.pop(uid, None)
        if waiting is not None:
            self._leave(uid, waiting)

    def helped(self, helps: Callable[[Rejected], bool]) -> Iterator[str]:
        """Pods that a change may help."""
        for group in list(self._rejected.values()):
            if helps(group):
                yield from list(group.uids)

    def _leave(self, uid: str, waiting: Pending) -> None:
        if waiting.alike is None:
            return
        group = self._rejected[waiting.alike]
        del group.uids[uid]
        if not group.uids:
            del self._rejected[waiting.alike]
        waiting.alike = None
