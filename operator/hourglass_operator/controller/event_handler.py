"""Takes in what informers see, and enqueues the Performers that it affects.

What client-go calls a ResourceEventHandler:
https://pkg.go.dev/k8s.io/client-go/tools/cache#ResourceEventHandler
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hourglass_operator.controller.cache import Cache
from hourglass_operator.controller.memories import Memories
from hourglass_operator.controller.phase_changes import PhaseChanges
from hourglass_operator.controller.pod_view import ENDED
from hourglass_operator.controller.priority import priority
from hourglass_operator.controller.queue import Priority, WorkQueue
from hourglass_operator.controller.versions import Name
from hourglass_operator.controller.views import Key, PerformerView


class EventHandler:
    """Objects go into the cache, and the keys that they affect into the queue.

    Times are seconds since the Unix epoch and are handed in.
    """

    def __init__(
        self,
        cache: Cache,
        queue: WorkQueue[Key],
        memories: Memories,
        phase_changes: PhaseChanges,
        node_delay: float,
    ) -> None:
        """`node_delay`: seconds for which changes of nodes are collected."""
        self._cache = cache
        self._queue = queue
        self._memories = memories
        self._phase_changes = phase_changes
        self._node_delay = node_delay
        self._followers: dict[Key, dict[Key, None]] = {}

    def follow(self, key: Key, other: Key) -> None:
        """Ask for a pass over `key` as well when something of `other` changes next."""
        self._followers.setdefault(other, {})[key] = None

    def watched(self, resource: str, event: str, obj: Mapping[str, Any], now: float) -> None:
        """Take in a watch event: ADDED, MODIFIED or DELETED."""
        performers, meta = self._cache.performers, obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        before = performers.get(key)
        generation = self._cache.capacity_generation
        affected = self._cache.watched(resource, event, obj)
        if resource == "performers":
            self.phase_seen(key, before, now)
        ended = resource == "pods" and (obj.get("status") or {}).get("phase") in ENDED
        if ended or event == "DELETED":
            self._memories.drop_transient_refusals(resource, affected)
        self.enqueue(resource, affected, now)
        if resource == "pods" and self._cache.capacity_generation != generation:
            # The scheduler says nothing new of a pod that is still short of something.
            self.enqueue("nodes", self._cache.short_of_devices(), now)

    def phase_seen(self, key: Key, before: PerformerView | None, now: float) -> None:
        """Note if the phase differs from what was known `before`, whoever has changed it."""
        after = self._cache.performers.get(key)
        if before is not None and after is not None and before.phase != after.phase:
            self._phase_changes.add(key, now)

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

    def absent(self, resource: str, now: float) -> None:
        """Take in that the API server does not serve a resource."""
        self.enqueue(resource, self._cache.absent(resource), now)

    def unlabelled(self, resource: str, metadata: Mapping[str, Any], now: float) -> None:
        """Take in the metadata of a pod or Service that its watch does not show."""
        self.enqueue(resource, self._cache.unlabelled(resource, metadata), now)

    def recheck(self, resource: str, seen: Collection[Name], now: float, namespace: str) -> None:
        """A whole look at what no watch shows has ended with these names, as with `retain`."""
        self.enqueue(resource, self._cache.recheck(resource, namespace, seen), now)

    def enqueue(self, resource: str, keys: Iterable[Key], now: float) -> None:
        """Ask for a pass over keys that an object of the resource affects."""
        if resource in ("nodes", "resourceslices"):
            # A node, its devices, or who uses them, affects every Performer that waits for one, and
            # nodes change many at a time: one pass a moment later is enough, and it rarely brings
            # anybody closer to Running.
            for key in keys:
                self._queue.add(key, now + self._node_delay)
            return
        for key in keys:
            self._queue.add(key, now, self.priority(key))
            for follower in self._followers.pop(key, ()):
                self._queue.add(follower, now, self.priority(follower))

    def priority(self, key: Key) -> Priority:
        """Of a pass over a key."""
        performer = self._cache.performers.get(key)
        return priority(performer, has_pods=bool(self._cache.pods(key)))
