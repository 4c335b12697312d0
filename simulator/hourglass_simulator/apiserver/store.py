"""Objects by resource, one resourceVersion for all of them, watches and their history."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.node_index import NodeIndex
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.watch import Change, History, Watch, deliver


class Table:
    """The objects of one resource, by namespace ("" for cluster-wide ones) and name."""

    def __init__(
        self,
        resource: Resource,
        versions: "Iterator[int]",
        history: int,
        deliver: Callable[[Change, list[Watch]], None],
    ) -> None:
        self.resource = resource
        self.history = History(history)
        self.watches: list[Watch] = []
        self.dry = False
        """Nothing is stored, only answered."""
        self._versions = versions
        self._deliver = deliver
        self._objects: dict[str, dict[str, JSON]] = {}
        self._nodes = NodeIndex() if resource.qualified == "pods" else None

    def find(self, namespace: str, name: str) -> JSON | None:
        """The stored object."""
        objects = self._objects.get(namespace)
        return None if objects is None else objects.get(name)

    def all(self, namespace: str = "") -> Iterator[JSON]:
        """Objects ordered by namespace and name; of one namespace if it is given."""
        for key in [namespace] if namespace else sorted(self._objects):
            for _, obj in sorted(self._objects.get(key, {}).items()):
                yield obj

    def on_node(self, node: str, namespace: str = "") -> Iterator[JSON]:
        """The pods of a node, in the order of `all`."""
        assert self._nodes is not None
        for space, name in self._nodes.names(node, namespace):
            yield self._objects[space][name]

    def at(self, version: int, namespace: str = "") -> list[JSON]:
        """Objects as they were at a version that the history still has."""
        found = {(o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in self.all()}
        for change in reversed(self.history.since(version)):
            meta = change.last["metadata"]
            key = (meta.get("namespace", ""), meta["name"])
            if change.before is None:
                del found[key]
            else:
                found[key] = change.before
        return [obj for key, obj in sorted(found.items()) if namespace in ("", key[0])]

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
        if self._nodes is not None:
            self._nodes.change(old, stored)
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
        if self._nodes is not None:
            self._nodes.change(old, None)
        self._notify(Change(version, old, None, last))
        return last

    def rewrite(self, read: Callable[[JSON], JSON]) -> None:
        """Have the objects read under a new definition; for clients, nothing has happened."""
        for objects in self._objects.values():
            for name, obj in objects.items():
                objects[name] = read(obj)

    def _notify(self, change: Change) -> None:
        self.history.append(change)
        self._deliver(change, self.watches)


class VersionedTable(Table):
    """The objects of a table in another version: converted when they are read and written."""

    def __init__(
        self,
        stored: Table,
        resource: Resource,
        read: Callable[[JSON], JSON],
        write: Callable[[JSON], JSON],
    ) -> None:
        self.resource = resource
        self.history = stored.history
        self.watches = stored.watches
        self._stored = stored
        self._read = read
        self._write = write

    @property
    def dry(self) -> bool:  # type: ignore[override]
        """Nothing is stored, only answered."""
        return self._stored.dry

    def find(self, namespace: str, name: str) -> JSON | None:
        """The stored object."""
        found = self._stored.find(namespace, name)
        return None if found is None else self._read(found)

    def all(self, namespace: str = "") -> Iterator[JSON]:
        """Objects ordered by namespace and name; of one namespace if it is given."""
        return map(self._read, self._stored.all(namespace))

    def at(self, version: int, namespace: str = "") -> list[JSON]:
        """Objects as they were at a version that the history still has."""
        return [self._read(obj) for obj in self._stored.at(version, namespace)]

    def count(self, namespace: str) -> int:
        """How many objects a namespace has."""
        return self._stored.count(namespace)

    def put(self, old: JSON | None, new: JSON) -> JSON:
        """Store an object in the place of `old`; returns it with its new resourceVersion."""
        return self._read(self._stored.put(self._before(old), self._write(new)))

    def remove(self, old: JSON) -> JSON:
        """Drop a stored object; returns it as the DELETED event carries it."""
        return self._read(self._stored.remove(self._before(old) or old))

    def shown(self, obj: JSON) -> JSON:
        """A stored object as this table hands it out."""
        return self._read(obj)

    def _before(self, old: JSON | None) -> JSON | None:
        if old is None:
            return None
        meta = old["metadata"]
        return self._stored.find(meta.get("namespace", ""), meta["name"])


class Store:
    """All tables; `version` is the resourceVersion of the latest commit."""

    def __init__(self, history: int) -> None:
        self.version = 0
        self._history = history
        self._tables: dict[str, Table] = {}
        """Those that objects are stored in."""
        self._others: dict[str, Table] = {}
        """The same objects by other names, or in other versions."""
        self._served: dict[tuple[str, str, str], Resource] | None = None
        """By plural, group and version; None when it is to be made anew."""
        self._versions = self._count()
        self.dry = False
        """Nothing is stored now."""
        self.watcher_failed: Callable[[Exception], None] | None = None
        """Called with what a watcher raises; None: whoever makes the change gets it."""

    def _deliver(self, change: Change, watches: list[Watch]) -> None:
        deliver(change, watches, self.watcher_failed)

    def _count(self) -> Iterator[int]:
        for version in count(1):
            self.version = version
            yield version

    def serve(self, resource: Resource) -> Table:
        """Begin to store objects of a resource, or go on under its new definition."""
        table = self._tables.get(resource.name)
        if table is None:
            table = Table(resource, self._versions, self._history, self._deliver)
            table.history.compact(self.version)
            self._tables[resource.name] = table
        table.resource = resource
        self._served = None
        return table

    def also(self, name: str, table: Table) -> None:
        """Find a table by another name, too."""
        self._others[name] = table
        self._served = None

    def drop(self, name: str) -> None:
        """Serve a resource by this name no more."""
        self._tables.pop(name, None)
        self._others.pop(name, None)
        self._served = None

    def table(self, name: str) -> Table | None:
        """The objects of a resource, if it is served."""
        return self._tables.get(name) or self._others.get(name)

    def served(self) -> list[Resource]:
        """What clients can reach, by name, each version of a definition for itself."""
        return list(self._reachable().values())

    def served_as(self, plural: str, group: str, version: str) -> Resource | None:
        """What clients reach by these names."""
        return self._reachable().get((plural, group, version))

    def _reachable(self) -> dict[tuple[str, str, str], Resource]:
        if self._served is None:
            tables = sorted({**self._others, **self._tables}.items())
            found = [t.resource for name, t in tables if name == t.resource.name]
            self._served = {(r.plural, r.group, r.version): r for r in found if r.served}
        return self._served

    @contextmanager
    def dry_run(self) -> Iterator[None]:
        """Until the end of the `with` block nothing is stored."""
        self.set_dry(True)
        try:
            yield
        finally:
            self.set_dry(False)

    def set_dry(self, dry: bool) -> None:
        """Begin or end to store nothing."""
        if dry is not self.dry:
            self.dry = dry
            for table in self.tables():
                table.dry = dry

    def tables(self) -> list[Table]:
        """All tables by plural name."""
        return [table for _, table in sorted(self._tables.items())]
