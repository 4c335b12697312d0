"""Objects that plugins look up, as watches last saw them: client-go's listers."""

from collections.abc import Iterable, Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.kubernetes.version import Version

_RESOURCES = (
    "services",
    "replicationcontrollers",
    "replicasets",
    "statefulsets",
    "poddisruptionbudgets",
    "persistentvolumeclaims",
    "persistentvolumes",
    "storageclasses",
    "csinodes",
    "csidrivers",
    "csistoragecapacities",
    "resourceclaims",
    "resourceslices",
    "deviceclasses",
    "devicetaintrules",
)


def resources_of(version: Version) -> tuple[str, ...]:
    """Those that the plugins of a version read."""
    if version.enabled("DRADeviceTaintRules"):
        return _RESOURCES
    return tuple(resource for resource in _RESOURCES if resource != "devicetaintrules")


class Lister:
    """The objects of one resource."""

    def __init__(self) -> None:
        self._by_namespace: dict[str, dict[str, JSON]] = {}

    def apply(self, event: WatchEvent) -> JSON | None:
        """Take a change in; returns the object before it."""
        obj = event.object
        meta = obj["metadata"]
        space = self._by_namespace.setdefault(meta.get("namespace", ""), {})
        before = space.get(meta["name"])
        if event.type == "DELETED":
            space.pop(meta["name"], None)
        else:
            space[meta["name"]] = obj
        return before

    def get(self, name: str, namespace: str = "") -> JSON | None:
        """An object; None if there is none of that name."""
        return self._by_namespace.get(namespace, {}).get(name)

    def of(self, namespace: str) -> Iterable[JSON]:
        """The objects of a namespace."""
        return self._by_namespace.get(namespace, {}).values()

    def __iter__(self) -> Iterator[JSON]:
        for space in self._by_namespace.values():
            yield from space.values()


class Listers:
    """A lister for each resource that plugins read."""

    def __init__(self) -> None:
        self._by_resource = {resource: Lister() for resource in _RESOURCES}

    def __getitem__(self, resource: str) -> Lister:
        return self._by_resource[resource]
