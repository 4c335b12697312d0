"""What controllers know of the objects of a resource, found by owner and by namespace.

https://github.com/kubernetes/client-go/blob/v0.34.4/tools/cache/shared_informer.go
"""

from collections.abc import Callable, Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.controllers.workqueue import Key

Handler = Callable[[JSON | None, JSON | None], None]
"""Called with an object before (None: added) and after (None: deleted) a change."""


def key_of(obj: JSON) -> Key:
    """Namespace ("" for cluster-wide objects) and name."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def controller_of(obj: JSON) -> JSON | None:
    """The owner reference of the controller.

    https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/apis/meta/v1/controller_ref.go
    """
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            found: JSON = owner
            return found
    return None


def _same_owners(before: JSON, after: JSON) -> bool:
    """Whether both have one list of owners, as a write that does not touch it leaves it."""
    owners = before["metadata"].get("ownerReferences")
    return owners is after["metadata"].get("ownerReferences")


class Informer:
    """One watch for all who ask; an object costs one look at its owner and no more."""

    def __init__(self, api: APIServer, resource: str) -> None:
        self.objects: dict[Key, JSON] = {}
        self._namespaces: dict[str, dict[str, None]] = {}
        self._owned: dict[str, dict[Key, None]] = {}
        self._orphans: dict[str, dict[Key, None]] = {}
        self._handlers: list[Handler] = []
        self._by_owner: dict[str, list[Handler]] = {}
        self._for_orphans: list[Handler] = []
        api.watch(resource, sink=self._event)

    def get(self, namespace: str, name: str) -> JSON | None:
        """An object."""
        return self.objects.get((namespace, name))

    def owned(self, uid: str) -> list[JSON]:
        """The objects whose controller has this uid, oldest first."""
        return [self.objects[key] for key in self._owned.get(uid, ())]

    def orphans(self, namespace: str) -> list[JSON]:
        """The objects of a namespace without a controller, oldest first."""
        return [self.objects[key] for key in self._orphans.get(namespace, ())]

    def namespaced(self, namespace: str) -> Iterator[JSON]:
        """The objects of a namespace, oldest first."""
        for name in self._namespaces.get(namespace, ()):
            yield self.objects[namespace, name]

    def on_change(self, handler: Handler) -> None:
        """Call a handler for every change, first for what there is."""
        self._handlers.append(handler)
        for obj in list(self.objects.values()):
            handler(None, obj)

    def on_owned(self, kind: str, handler: Handler) -> None:
        """Call a handler for changes of objects whose controller is of a kind."""
        self._by_owner.setdefault(kind, []).append(handler)

    def on_orphan(self, handler: Handler) -> None:
        """Call a handler when an object has no controller and is new, relabelled or let go."""
        self._for_orphans.append(handler)

    def _event(self, event: WatchEvent) -> None:
        obj = event.object
        key = key_of(obj)
        before = self.objects.get(key)
        after = None if event.type == "DELETED" else obj
        new = controller_of(obj)
        old = new
        if before is None or not _same_owners(before, obj):
            old = controller_of(before) if before is not None else None
        if after is None:
            self.objects.pop(key, None)
            self._namespaces.get(key[0], {}).pop(key[1], None)
        else:
            self.objects[key] = obj
            if before is None:
                self._namespaces.setdefault(key[0], {})[key[1]] = None
        self._index(key, before, after, old, new)
        for handler in self._handlers:
            handler(before, after)
        if new is not None:
            for handler in self._by_owner.get(new["kind"], ()):
                handler(before, after)
        if old is not None and old != new:
            for handler in self._by_owner.get(old["kind"], ()):
                handler(before, None)
        if new is None and after is not None and self._for_orphans:
            labels = obj["metadata"].get("labels")
            if (
                before is None
                or old is not None
                or labels != before["metadata"].get("labels")
                or "deletionTimestamp" in obj["metadata"]
            ):
                for handler in self._for_orphans:
                    handler(before, after)

    def _index(
        self, key: Key, before: JSON | None, after: JSON | None, old: JSON | None, new: JSON | None
    ) -> None:
        if before is not None and (after is None or old != new):
            if old is None:
                self._orphans.get(key[0], {}).pop(key, None)
            else:
                held = self._owned[old["uid"]]
                held.pop(key, None)
                if not held:
                    del self._owned[old["uid"]]
        if after is not None and (before is None or old != new):
            if new is None:
                self._orphans.setdefault(key[0], {})[key] = None
            else:
                self._owned.setdefault(new["uid"], {})[key] = None


class Informers:
    """The informers of a controller manager, each begun when it is first asked for."""

    def __init__(self, api: APIServer) -> None:
        self._api = api
        self._informers: dict[str, Informer] = {}

    def of(self, resource: str) -> Informer:
        """The informer of a resource, by its plural name."""
        found = self._informers.get(resource)
        if found is None:
            found = self._informers[resource] = Informer(self._api, resource)
        return found
