"""Objects by resource, one resourceVersion for all of them, watches and their history."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.watch import Change, History, Watch, deliver


class Table:
    """The objects of one resource, by namespace ("" for cluster-wide ones) and name."""

    def __init__(self, resource: Resource, versions: "Iterator[int]", history: int) -> None:
        self.resource = resource
        self.history = History(history)
        self.watches: list[Watch] = []
        self.dry = False
        """Nothing is stored, only answered."""
        self._versions = versions
        self._objects: dict[str, dict[str, JSON]] = {}

    def find(self, namespace: str, name: str) -> JSON | None:
        """The stored object."""
        objects = self._objects.get(namespace)
        return None if objects is None else objects.get(name)

    def all(self, namespace: str = "") -> Iterator[JSON]:
        """Objects ordered by namespace and name; of one namespace if it is given."""
        for key in [namespace] if namespace else sorted(self._objects):
            for _, obj in sorted(self._objects.get(key, {}).items()):
                yield obj

    def count(self, namespace: str) -> int:
        """How many objects a namespace has."""
        return len(self._objects.get(namespace, ()))

    def put(self, old: JSON | None, new: JSON) -> JSON:
        """Store an object in the place of `old`; returns it with its new resourceVersion."""
        if self.dry:
            return new
        version = next(self._versions)
        meta = {**new["metadata"], "resourceVersion": str(version)}
        stored = {**new, "metadata": meta}
        self._objects.setdefault(meta.get("namespace", ""), {})[meta["name"]] = stored
        self._notify(Change(version, old, stored, stored))
        return stored

    def remove(self, old: JSON) -> JSON:
        """Drop a stored object; returns it as the DELETED event carries it."""
        if self.dry:
            return old
        version = next(self._versions)
        meta = {**old["metadata"], "resourceVersion": str(version)}
        last = {**old, "metadata": meta}
        del self._objects[meta.get("namespace", "")][meta["name"]]
        self._notify(Change(version, old, None, last))
        return last

    def _notify(self, change: Change) -> None:
        self.history.append(change)
        deliver(change, self.watches)


class Store:
    """All tables; `version` is the resourceVersion of the latest commit."""

    def __init__(self, history: int) -> None:
        self.version = 0
        self._history = history
        self._tables: dict[str, Table] = {}
        self._versions = self._count()

    def _count(self) -> Iterator[int]:
        for version in count(1):
            self.version = version
            yield version

    def serve(self, resource: Resource) -> Table:
        """Begin to store objects of a resource, or go on under its new definition."""
        table = self._tables.get(resource.plural)
        if table is None:
            table = Table(resource, self._versions, self._history)
            table.history.compact(self.version)
            self._tables[resource.plural] = table
        table.resource = resource
        return table

    def drop(self, plural: str) -> None:
        """Serve a resource no more."""
        del self._tables[plural]

    def table(self, plural: str) -> Table | None:
        """The objects of a resource, if it is served."""
        return self._tables.get(plural)

    @contextmanager
    def dry_run(self) -> Iterator[None]:
        """Until the end of the `with` block nothing is stored."""
        for table in self.tables():
            table.dry = True
        try:
            yield
        finally:
            for table in self.tables():
                table.dry = False

    def tables(self) -> list[Table]:
        """All tables by plural name."""
        return [table for _, table in sorted(self._tables.items())]
