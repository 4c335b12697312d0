"""Objects by resource, one counter of versions, and everyone who watches."""

from collections import defaultdict

from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.resources import BUILT_IN, Resource
from hourglass_simulator.apiserver.watch import JSON, Change, History, Watch

_HISTORY = 10_000

Name = tuple[str, str]


class Store:
    """What etcd and the watch cache are to a real API server."""

    def __init__(self) -> None:
        self.version = 0
        self._resources = {resource.plural: resource for resource in BUILT_IN}
        self._objects: defaultdict[str, dict[Name, JSON]] = defaultdict(dict)
        self._histories: dict[str, History] = {}
        self._watches: defaultdict[str, list[Watch]] = defaultdict(list)

    def serve(self, resource: Resource) -> None:
        """Serve one more resource."""
        self._resources[resource.plural] = resource

    def resources(self) -> list[Resource]:
        """Everything that is served."""
        return sorted(self._resources.values(), key=lambda r: (r.group, r.plural))

    def resource(self, plural: str) -> Resource:
        """The resource of that name; APIError 404 if it is not served."""
        resource = self._resources.get(plural)
        if resource is None:
            raise errors.unknown_resource()
        return resource

    def objects(self, resource: Resource) -> dict[Name, JSON]:
        """Objects by namespace and name."""
        return self._objects[resource.plural]

    def find(self, resource: Resource, namespace: str, name: str) -> JSON | None:
        """One object, None if there is none."""
        return self._objects[resource.plural].get((namespace, name))

    def get(self, resource: Resource, namespace: str, name: str) -> JSON:
        """One object; APIError 404 if there is none."""
        found = self._objects[resource.plural].get((namespace, name))
        if found is None:
            raise errors.not_found(resource, name)
        return found

    def put(self, resource: Resource, before: JSON | None, obj: JSON) -> JSON:
        """Store an object under the next version and tell everyone."""
        self.version += 1
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        meta = obj["metadata"]
        self._objects[resource.plural][meta.get("namespace", ""), meta["name"]] = obj
        self._tell(resource, Change(self.version, before, obj, obj))
        return obj

    def remove(self, resource: Resource, before: JSON, last: JSON) -> JSON:
        """Remove an object; `last` is how it looked at its end."""
        self.version += 1
        last = {**last, "metadata": {**last["metadata"], "resourceVersion": str(self.version)}}
        meta = last["metadata"]
        del self._objects[resource.plural][meta.get("namespace", ""), meta["name"]]
        self._tell(resource, Change(self.version, before, None, last))
        return last

    def history(self, resource: Resource) -> History:
        """Past changes of a resource."""
        if resource.plural not in self._histories:
            self._histories[resource.plural] = History(_HISTORY)
        return self._histories[resource.plural]

    def subscribe(self, resource: Resource, watch: Watch) -> None:
        """Tell a watch of changes from now on."""
        self._watches[resource.plural] = [*self._watches[resource.plural], watch]

    def unsubscribe(self, resource: Resource, watch: Watch) -> None:
        """Tell a watch no more."""
        self._watches[resource.plural] = [
            other for other in self._watches[resource.plural] if other is not watch
        ]

    def _tell(self, resource: Resource, change: Change) -> None:
        self.history(resource).append(change)
        for watch in self._watches[resource.plural]:
            watch.offer(change)
