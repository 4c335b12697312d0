"""The informer cache: what the watches have delivered, trimmed, and which keys a change affects."""

from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter
from sys import intern
from typing import Any, TypeVar

from hourglass_kube.node import NodeView
from hourglass_kube.node import view as node_view
from hourglass_operator.controller.pod_view import PodView, pod_view
from hourglass_operator.controller.views import (
    EndpointsView,
    Key,
    PerformerView,
    endpoints_view,
    performer_view,
)
from hourglass_operator.resources import names
from hourglass_operator.resources.service import ServiceView
from hourglass_operator.resources.service import view as service_view

RESOURCES = ("nodes", "services", "endpointslices", "pods", "performers")
"""What is watched, in the order in which initial lists are best delivered."""

Object = Mapping[str, Any]
"""An object as the API returns it."""

Name = tuple[str, str]
"""Namespace (empty if there is none) and name."""

V = TypeVar("V", PodView, EndpointsView)

_REMEMBERED = 1000
"""How many objects of a resource that are gone are remembered, so that a late event or answer
does not bring them back."""


class Cache:
    """One per controller. All reads are cheap; nothing here does I/O.

    Events of different objects may come in any order. Of one object, what is not newer than what
    is known of it is a repetition, or the echo of an answer: resourceVersions are compared as
    numbers (https://kep.k8s.io/5504).
    """

    def __init__(self) -> None:
        self.performers: dict[Key, PerformerView] = {}
        self._pods: dict[Key, tuple[PodView, ...]] = {}
        self._services: dict[Key, ServiceView] = {}
        self._endpoints: dict[Key, tuple[EndpointsView, ...]] = {}
        self._slice_of: dict[Name, Key] = {}
        self._nodes: dict[str, NodeView] = {}
        self._nodes_sorted = True
        self._used: dict[str, dict[str, int]] = {}
        self._keys_on: dict[str, dict[Key, None]] = {}
        """Performers with a pod on a node; under the empty name those with a pod that has none."""
        self.capacity_generation = 0
        """Goes up whenever nodes or the devices that Performers hold change."""
        self._versions: dict[str, dict[Name, int]] = {resource: {} for resource in RESOURCES}
        self._gone: dict[str, dict[Name, int]] = {resource: {} for resource in RESOURCES}
        self._lists: dict[tuple[str, str], int] = {}
        """The version of the last whole list of a resource in a namespace (empty: in all)."""
        self._put: Mapping[str, Callable[[Name, Object | None], Iterable[Key]]] = {
            "performers": self._put_performer,
            "pods": self._put_pod,
            "services": self._put_service,
            "endpointslices": self._put_endpoints,
            "nodes": self._put_node,
        }

    def watched(self, resource: str, event: str, obj: Object) -> tuple[Key, ...]:
        """Take in a watch event (ADDED, MODIFIED, DELETED); returns the affected keys."""
        name, version = _name(obj), _version(obj)
        if event != "DELETED":
            return self._put_newer(resource, name, version, obj)
        # The answer to a deletion that was final at once has the version of the event itself.
        if version < self._known(resource, name):
            return ()
        return self._remove(resource, name, version)

    def listed(self, resource: str, obj: Object, version: str) -> tuple[Key, ...]:
        """Take in an object of a list of this resourceVersion; returns the affected keys."""
        name, gone = _name(obj), self._gone[resource]
        if name in gone and gone[name] <= int(version):
            # It is there after all: an answer said otherwise.
            del gone[name]
        return self._put_newer(resource, name, _version(obj), obj)

    def retain(
        self, resource: str, names: Collection[Name], version: str, namespace: str = ""
    ) -> tuple[Key, ...]:
        """Drop what is not among the `names` of a whole list of this resourceVersion.

        Unless it is newer than the list: a write of ours may have been answered meanwhile. The list
        is of one namespace, or of all if that is empty.
        """
        versions, listed = self._versions[resource], int(version)
        lost = [
            name
            for name, known in versions.items()
            if name not in names and known <= listed and namespace in ("", name[0])
        ]
        self._lists[resource, namespace] = listed
        return tuple(key for name in lost for key in self._remove(resource, name, listed))

    def answered(self, resource: str, obj: Object) -> tuple[Key, ...]:
        """Take in an object that a write returned, unless the watch has already been further.

        Without this a pass right after a write would act on what was true before it.
        """
        if resource not in self._versions:
            return ()
        name, version = _name(obj), _version(obj)
        lists = (self._lists.get((resource, namespace), 0) for namespace in ("", name[0]))
        if name not in self._versions[resource] and version <= max(lists):
            # A list that is no older has not shown it: it has gone, and no watch will say so.
            return ()
        return self._put_newer(resource, name, version, obj)

    def found(self, resource: str, obj: Object) -> tuple[Key, ...]:
        """Take in an object that was read because no watch shows it (it lost its labels)."""
        # To the watch it went with this very version.
        self._gone[resource].pop(_name(obj), None)
        return self._put_newer(resource, _name(obj), _version(obj), obj)

    def lost(self, resource: str, name: Name) -> tuple[Key, ...]:
        """Drop an object that the API server no longer knows."""
        version = self._versions.get(resource, {}).get(name)
        return () if version is None else self._remove(resource, name, version)

    def _known(self, resource: str, name: Name) -> int:
        """The newest resourceVersion of it that was taken in, 0 if none was."""
        return self._versions[resource].get(name) or self._gone[resource].get(name, 0)

    def _put_newer(self, resource: str, name: Name, version: int, obj: Object) -> tuple[Key, ...]:
        if version <= self._known(resource, name):
            return ()
        keys = tuple(self._put[resource](name, obj))
        # Only now: an object that raises must not count as known.
        self._gone[resource].pop(name, None)
        self._versions[resource][name] = version
        return keys

    def _remove(self, resource: str, name: Name, version: int) -> tuple[Key, ...]:
        gone = self._gone[resource]
        gone[name] = version
        if len(gone) > _REMEMBERED:
            del gone[next(iter(gone))]
        if self._versions[resource].pop(name, None) is None:
            return ()
        return tuple(self._put[resource](name, None))

    # Reads

    def pods(self, key: Key) -> tuple[PodView, ...]:
        """The pods of a Performer, by name."""
        return self._pods.get(key, ())

    def service(self, key: Key) -> ServiceView | None:
        """The Service that bears the Performer's service name."""
        return self._services.get(key)

    def ready_endpoints(self, key: Key) -> frozenset[str]:
        """Names of the pods that are ready endpoints of the Performer's Service."""
        slices = self._endpoints.get(key, ())
        return frozenset(pod for endpoints in slices for pod in endpoints.ready)

    def nodes(self) -> Mapping[str, NodeView]:
        """All nodes by name, in the order of their names."""
        if not self._nodes_sorted:
            self._nodes = dict(sorted(self._nodes.items()))
            self._nodes_sorted = True
        return self._nodes

    def used(self) -> Mapping[str, Mapping[str, int]]:
        """Extended resources that pods of Performers occupy, by node and resource."""
        return self._used

    # Changes

    def _put_performer(self, name: Name, obj: Object | None) -> Iterable[Key]:
        if obj is None:
            self.performers.pop(name, None)
        else:
            self.performers[name] = performer_view(obj)
        return (name,)

    def _put_pod(self, name: Name, obj: Object | None) -> Iterable[Key]:
        parsed = names.parse_pod_name(name[1])
        if parsed is None:
            return ()
        key = (name[0], parsed.performer)
        after = pod_view(obj) if obj is not None else None
        nodes_before = {pod.node for pod in self._pods.get(key, ())}
        before = _replace(self._pods, key, name[1], after)
        nodes_after = {pod.node for pod in self._pods.get(key, ())}
        for node in nodes_before - nodes_after:
            del self._keys_on[node][key]
            if not self._keys_on[node]:
                del self._keys_on[node]
        for node in nodes_after - nodes_before:
            self._keys_on.setdefault(node, {})[key] = None
        for pod, sign in ((before, -1), (after, 1)):
            if pod is not None and pod.node and not pod.ended:
                for resource, count in pod.devices:
                    self._use(pod.node, resource, sign * count)
        return (key,)

    def _use(self, node: str, resource: str, more: int) -> None:
        self.capacity_generation += 1
        used = self._used.setdefault(node, {})
        used[resource] = used.get(resource, 0) + more
        # Nodes come and go for as long as the operator runs: what is zero is left out.
        if not used[resource]:
            del used[resource]
        if not used:
            del self._used[node]

    def _put_service(self, name: Name, obj: Object | None) -> Iterable[Key]:
        performer = names.performer_of_service(name[1])
        if performer is None:
            return ()
        key = (name[0], performer)
        if obj is None:
            self._services.pop(key, None)
        else:
            self._services[key] = service_view(obj)
        return (key,)

    def _put_endpoints(self, name: Name, obj: Object | None) -> Iterable[Key]:
        affected = []
        # First: one that cannot be read changes nothing.
        view = endpoints_view(obj) if obj is not None else None
        before = self._slice_of.pop(name, None)
        if before is not None:
            _replace(self._endpoints, before, name[1], None)
            affected.append(before)
        labels = ((obj or {}).get("metadata") or {}).get("labels") or {}
        performer = names.performer_of_service(labels.get("kubernetes.io/service-name", ""))
        if view is not None and performer is not None:
            after = self._slice_of[name] = (name[0], performer)
            _replace(self._endpoints, after, name[1], view)
            affected.append(after)
        return affected

    def _put_node(self, name: Name, obj: Object | None) -> Iterable[Key]:
        after = node_view(obj) if obj is not None else None
        # Heartbeats change what nobody here reads.
        if after == self._nodes.get(name[1]):
            return ()
        if after is None:
            del self._nodes[name[1]]
        else:
            self._nodes_sorted &= name[1] in self._nodes
            self._nodes[name[1]] = after
        self.capacity_generation += 1
        return dict.fromkeys((*self._keys_on.get("", ()), *self._keys_on.get(name[1], ())))


def _replace(views: dict[Key, tuple[V, ...]], key: Key, name: str, after: V | None) -> V | None:
    """Put a view in the place of the one of that name, if there is one, and return that one.

    What is left is in the order of names. Nearly every Performer has one pod and one slice:
    tuples are smaller than dicts.
    """
    before = next((view for view in views.get(key, ()) if view.name == name), None)
    left = [view for view in views.get(key, ()) if view is not before]
    if after is not None:
        left.append(after)
    if left:
        views[key] = tuple(sorted(left, key=attrgetter("name")))
    else:
        views.pop(key, None)
    return before


def _name(obj: Object) -> Name:
    meta: Mapping[str, Any] = obj["metadata"]
    return (intern(meta.get("namespace", "")), intern(meta["name"]))


def _version(obj: Object) -> int:
    return int(obj["metadata"]["resourceVersion"])
