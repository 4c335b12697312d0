"""Takes in what informers see, and enqueues the Performers that it affects.

What client-go calls a ResourceEventHandler:
https://pkg.go.dev/k8s.io/client-go/tools/cache#ResourceEventHandler
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hourglass_operator.controller.cache import Cache, Name
from hourglass_operator.controller.memories import Memories
from hourglass_operator.controller.priority import priority
from hourglass_operator.controller.queue import Priority, WorkQueue
from hourglass_operator.controller.views import Key


class EventHandler:
    """Objects go into the cache, and the keys that they affect into the queue.

    Times are seconds since the Unix epoch and are handed in.
    """

    def __init__(
        self, cache: Cache, queue: WorkQueue[Key], memories: Memories, node_delay: float
    ) -> None:
        """`node_delay`: seconds for which changes of nodes are collected."""
        self._cache = cache
        self._queue = queue
        self._memories = memories
        self._node_delay = node_delay

    def watched(self, resource: str, event: str, obj: Mapping[str, Any], now: float) -> None:
        """Take in a watch event: ADDED, MODIFIED or DELETED."""
        affected = self._cache.watched(resource, event, obj)
        if event == "DELETED":
            self._memories.drop_transient_refusals(resource, affected)
        self.enqueue(resource, affected, now)

    def listed(self, resource: str, obj: Mapping[str, Any], version: str, now: float) -> None:
        """Take in an object of a list, and the resourceVersion of the list."""
        self.enqueue(resource, self._cache.listed(resource, obj, version), now)

    def retain(
        self, resource: str, names: Collection[Name], version: str, now: float, namespace: str = ""
    ) -> None:
        """Take in the names of a whole list: what is not among them is gone.

        The list is of one namespace, or of the cluster if that is empty.
        """
        affected = self._cache.retain(resource, names, version, namespace)
        self._memories.drop_transient_refusals(resource, affected)
        self.enqueue(resource, affected, now)

    def enqueue(self, resource: str, keys: Iterable[Key], now: float) -> None:
        """Ask for a pass over keys that an object of the resource affects."""
        if resource == "nodes":
            # A node affects every Performer that waits for one, and nodes change many at a time:
            # one pass a moment later is enough, and it rarely brings anybody closer to Running.
            for key in keys:
                self._queue.add(key, now + self._node_delay)
            return
        for key in keys:
            self._queue.add(key, now, self.priority(key))

    def priority(self, key: Key) -> Priority:
        """Of a pass over a key."""
        performer = self._cache.performers.get(key)
        return priority(performer, has_pods=bool(self._cache.pods(key)))
