"""The informer cache: what the watches have delivered, trimmed, and which keys a change affects."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from sys import intern
from typing import Any, TypeVar

from hourglass_kube.node import NodeView
from hourglass_operator.controller.budget_index import BudgetIndex
from hourglass_operator.controller.discovery import Discovery
from hourglass_operator.controller.known_nodes import KnownNodes
from hourglass_operator.controller.ownership import belongs, own_service
from hourglass_operator.controller.plan import Read
from hourglass_operator.controller.pod_index import PodIndex
from hourglass_operator.controller.pod_view import PodView, pod_view
from hourglass_operator.controller.unread import LastSeen, Unread, key_of, was_deleted
from hourglass_operator.controller.versions import Name, Versions
from hourglass_operator.controller.views import (
    EndpointsView,
    Key,
    PerformerView,
    endpoints_view,
    performer_view,
    replace_view,
)
from hourglass_operator.hardware.claim import DeviceClaim
from hourglass_operator.resources import go_operator, names
from hourglass_operator.resources.budget import view as budget_view
from hourglass_operator.resources.claim import TemplateView
from hourglass_operator.resources.claim import view as template_view
from hourglass_operator.resources.owner import owner_uid
from hourglass_operator.resources.service import ServiceView
from hourglass_operator.resources.service import view as service_view

RESOURCES = (
    "nodes",
    "resourceslices",
    "resourceclaimtemplates",
    "services",
    "endpointslices",
    "poddisruptionbudgets",
    "pods",
    "performers",
)
"""What is watched, in the order in which initial lists are best delivered."""

Object = Mapping[str, Any]
"""An object as the API returns it."""

Owned = TypeVar("Owned", PodView, ServiceView)


class Cache:
    """One per controller. All reads are cheap; nothing here does I/O.

    Events of different objects may come in any order. Of one object, what is not newer than what
    is known of it is a repetition, or the echo of an answer: resourceVersions are compared as
    numbers (https://kep.k8s.io/5504).
    """

    def __init__(self, device_attributes: Collection[str] = ()) -> None:
        """`device_attributes`: what of published devices is kept."""
        self.performers: dict[Key, PerformerView] = {}
        self.budgets = BudgetIndex()
        self.discovery = Discovery()
        self._absent: set[str] = set()
        self._templates: dict[Key, tuple[TemplateView, ...]] = {}
        self._pods = PodIndex()
        self._services: dict[Key, ServiceView] = {}
        self._endpoints: dict[Key, tuple[EndpointsView, ...]] = {}
        self._slice_of: dict[Name, Key] = {}
        self._unread = Unread()
        self._unwatched: dict[Read, Key] = {}
        """What is known, and shown by no watch: it lacks the label by which pods and Services are
        watched."""
        self._nodes = KnownNodes(device_attributes)
        self._versions = Versions(RESOURCES)
        self._put: Mapping[str, Callable[[Name, Object | None], Iterable[Key]]] = {
            "performers": self._put_performer,
            "pods": self._put_pod,
            "services": self._put_service,
            "endpointslices": self._put_endpoints,
            "poddisruptionbudgets": self._put_budget,
            "nodes": self._put_node,
            "resourceslices": self._put_slice,
            "resourceclaimtemplates": self._put_template,
        }

    def watched(self, resource: str, event: str, obj: Object) -> tuple[Key, ...]:
        """Take in a watch event (ADDED, MODIFIED, DELETED); returns the affected keys."""
        name, version = _name(obj), _version(obj)
        if event != "DELETED":
            return self._put_newer(resource, name, version, obj)
        # The answer to a deletion that was final at once has the version of the event itself.
        if version < self._versions.known(resource, name):
            return ()
        if not was_deleted(obj):
            self._must_read(resource, name)
        return self._remove(resource, name, version)

    def listed(self, resource: str, obj: Object, version: str) -> tuple[Key, ...]:
        """Take in an object of a list of this resourceVersion; returns the affected keys."""
        # An answer may have said otherwise.
        self._versions.revive(resource, _name(obj), int(version))
        return self._put_newer(resource, _name(obj), _version(obj), obj)

    def retain(
        self, resource: str, names: Collection[Name], version: str, namespace: str = ""
    ) -> tuple[Key, ...]:
        """Drop what is not among the `names` of a whole list of this resourceVersion.

        Unless it is newer than the list: a write of ours may have been answered meanwhile. The list
        is of one namespace, or of all if that is empty.
        """
        listed = int(version)
        served_now = tuple(self.performers) if resource in self._absent else ()
        self._absent.discard(resource)
        lost = self._versions.missing(resource, names, listed, namespace)
        for name in lost:
            self._must_read(resource, name)
        affected = (key for name in lost for key in self._remove(resource, name, listed))
        return (*affected, *served_now)

    def absent(self, resource: str) -> tuple[Key, ...]:
        """The API server does not serve a resource; returns the affected keys."""
        if resource in self._absent:
            return ()
        self._absent.add(resource)
        return tuple(self.performers)

    def serves(self, resource: str) -> bool:
        """Whether the API server serves a resource, as far as is known."""
        return resource not in self._absent

    def answered(self, resource: str, obj: Object) -> tuple[Key, ...]:
        """Take in an object that a write returned, unless the watch has already been further.

        Without this a pass right after a write would act on what was true before it.
        """
        if resource not in self._versions:
            return ()
        name, version = _name(obj), _version(obj)
        if self._versions.not_listed(resource, name, version):
            # It has gone, and no watch will say so.
            return ()
        return self._put_newer(resource, name, version, obj)

    def found(self, resource: str, obj: Object) -> tuple[Key, ...]:
        """Take in an object that was read because no watch shows it (it lost its labels)."""
        name, version = _name(obj), _version(obj)
        # To the watch it went with this very version, and a later list has not shown it.
        since = max(version, self._versions.last_list(resource, name))
        self._versions.revive(resource, name, since)
        return self._put_newer(resource, name, version, obj)

    def read(self, read: Read, objects: Collection[Object]) -> tuple[Key, ...]:
        """Take in all that was found by a read; the affected keys."""
        key, name = key_of(read), (read.namespace, read.name)
        if key is None:
            return ()
        keys = [each for obj in objects for each in self.found(read.resource, obj)]
        # What has been seen since it was asked for is newer than the answer.
        stands = read in self._unread.of(key) or not self.has_seen(read.resource, name)
        self._unread.discard(key, read)
        if not objects and stands and read.resource != "endpointslices":
            known = self._versions.known(read.resource, name)
            keys.extend(self._remove(read.resource, name, known))
        return tuple(dict.fromkeys((*keys, key)))

    def unlabelled(self, resource: str, metadata: Mapping[str, Any]) -> tuple[Key, ...]:
        """Take in that a pod or Service with this metadata exists, which its watch does not show.

        It is to be read if it is a Performer's own and not known as it is; the affected keys.
        """
        name = _name({"metadata": metadata})
        read = Read(resource, *name)
        key = key_of(read)
        performer = self.performers.get(key) if key else None
        labels = metadata.get("labels") or {}
        if key is None or performer is None:
            return ()
        if not belongs(owner_uid(metadata), labels, performer):
            return ()
        if int(metadata["resourceVersion"]) <= self._versions.present(resource, name):
            return ()
        self._unread.add(key, read)
        return (key,)

    def recheck(self, resource: str, namespace: str, seen: Collection[Name]) -> tuple[Key, ...]:
        """What no watch shows was not among those `seen` either: it is to be read anew.

        A whole look at a namespace, or at all if that is empty, has ended; the affected keys.
        """
        missing = {
            read: key
            for read, key in self._unwatched.items()
            if read.resource == resource
            and namespace in ("", read.namespace)
            and (read.namespace, read.name) not in seen
        }
        for read, key in missing.items():
            self._unread.add(key, read)
        return tuple(missing.values())

    def lost(self, resource: str, name: Name, seen: int) -> tuple[Key, ...]:
        """Drop an object that the API server no longer knows; returns the affected keys.

        `seen`: its version when it was asked for. What is newer stays: it is another object of the
        name, or the watch will say that it has gone.
        """
        version = self.version(resource, name)
        return () if not 0 < version <= seen else self._remove(resource, name, version)

    def _put_newer(self, resource: str, name: Name, version: int, obj: Object) -> tuple[Key, ...]:
        if version <= self._versions.known(resource, name):
            return ()
        keys = tuple(self._put[resource](name, obj))
        # Only now: an object that raises must not count as known.
        self._versions.put(resource, name, version)
        return keys

    def _remove(self, resource: str, name: Name, version: int) -> tuple[Key, ...]:
        if not self._versions.remove(resource, name, version):
            return ()
        return tuple(self._put[resource](name, None))

    # Reads

    def unread(self, key: Key) -> tuple[Read, ...]:
        """What may be the Performer's and must be read, sorted."""
        return self._unread.of(key)

    def version(self, resource: str, name: Name) -> int:
        """The newest resourceVersion of an object that is there, 0 if none is."""
        return self._versions.present(resource, name)

    def has_seen(self, resource: str, name: Name) -> bool:
        """Whether an object is known, or is known to be gone (of the latest that are)."""
        return self._versions.has_seen(resource, name)

    def pods(self, key: Key) -> tuple[PodView, ...]:
        """The pods of a Performer, by name."""
        return self._pods.of(key)

    def service(self, key: Key) -> ServiceView | None:
        """The Service that bears the Performer's service name."""
        return self._services.get(key)

    def ready_endpoints(self, key: Key, service: str) -> frozenset[str]:
        """Names of the pods that are ready endpoints of the Service with this uid.

        As for Kubernetes itself, a slice is the Service's if it is its owner:
        https://github.com/kubernetes/endpointslice/blob/v0.34.4/reconciler.go
        """
        slices = (each for each in self._endpoints.get(key, ()) if each.owner == service)
        return frozenset(pod for endpoints in slices for pod in endpoints.ready)

    def has_endpoints(self, key: Key, service: str) -> bool:
        """An EndpointSlice of the Service with this uid is known, be it without endpoints."""
        return any(each.owner == service for each in self._endpoints.get(key, ()))

    def nodes(self) -> Mapping[str, NodeView]:
        """All nodes by name, in the order of their names."""
        return self._nodes.all()

    def nodes_to(self, claim: DeviceClaim) -> Mapping[str, NodeView]:
        """All nodes by name, in the order of their names, as they are to such a claim."""
        return self._nodes.all_to(claim)

    @property
    def devices_published(self) -> bool:
        """Some driver publishes devices."""
        return self._nodes.devices_published

    def templates(self, key: Key) -> tuple[TemplateView, ...]:
        """The ResourceClaimTemplates that bear names of a Performer's, by name."""
        return self._templates.get(key, ())

    @property
    def capacity_generation(self) -> int:
        """Goes up whenever nodes, published devices or those that Performers hold change."""
        return self._nodes.generation + self._pods.used_generation

    def used(self) -> Mapping[str, Mapping[str, int]]:
        """Extended resources that pods of Performers occupy, by node and resource."""
        return self._pods.used

    def short_of_devices(self) -> Collection[Key]:
        """Performers with a pod that asks for devices and for which the scheduler has no node."""
        return self._pods.short

    def waiting(self) -> Iterator[tuple[Key, PodView]]:
        """Pods that the scheduler has queued, and whose they are.

        Those of a Performer that has had one for longer come first. Gates keep a pod off the queue.
        """
        return self._pods.waiting()

    # Changes

    def _put_performer(self, name: Name, obj: Object | None) -> Iterable[Key]:
        if obj is None:
            self.performers.pop(name, None)
        else:
            self.performers[name] = performer_view(obj)
        return (name,)

    def _put_pod(self, name: Name, obj: Object | None) -> Iterable[Key]:
        after = pod_view(obj) if obj is not None else None
        key = (name[0], after.performer) if after is not None else self._pods.key_of(name)
        if key is None:
            return ()
        read = Read("pods", *name)
        if after is not None:
            known = self._pods.find(key, after.name)
            is_watched = after.labels.get(names.APP_LABEL) in (names.APP, go_operator.APP)
            after = self._recognised(key, read, known, after, is_watched=is_watched)
        else:
            self._unwatched.pop(read, None)
        self._pods.put(key, name[1], after)
        return (key,)

    def _put_service(self, name: Name, obj: Object | None) -> Iterable[Key]:
        performer = names.performer_of_service(name[1])
        if performer is None:
            return ()
        key = (name[0], performer)
        read = Read("services", *name)
        if obj is None:
            self._services.pop(key, None)
            self._unwatched.pop(read, None)
            return (key,)
        found = service_view(obj)
        is_watched = found.labels.get(names.APP_LABEL) == names.APP
        before = self._services.get(key)
        self._services[key] = self._recognised(key, read, before, found, is_watched=is_watched)
        if not is_watched and not self.has_endpoints(key, found.uid):
            # Its slices bear its labels: their watch does not show them either.
            self._unread.add(key, Read("endpointslices", *name))
        return (key,)

    def _recognised(
        self, key: Key, read: Read, known: Owned | None, found: Owned, *, is_watched: bool
    ) -> Owned:
        """What was found, with the owner that it was seen with last if it has none."""
        last = self._unread.discard(key, read) or known
        if is_watched:
            self._unwatched.pop(read, None)
        else:
            self._unwatched[read] = key
        if found.owner or last is None or last.uid != found.uid:
            return found
        return replace(found, owner_before=last.owner or last.owner_before)

    def _must_read(self, resource: str, name: Name) -> None:
        """It left its watch, or a list of what is watched, and nobody has said that it is gone."""
        if resource == "endpointslices":
            self._must_read_slices(name)
        if resource not in ("pods", "services"):
            return
        read = Read(resource, *name)
        key = self._pods.key_of(name) if resource == "pods" else key_of(read)
        performer = self.performers.get(key) if key else None
        if key is None or performer is None:
            return
        last: LastSeen
        if resource == "services":
            # A Performer that goes takes its Service along.
            last = self._services.get(key) if performer.deleted is None else None
        else:
            last = self._pods.find(key, name[1])
        if last is not None and last.owner in ("", performer.uid):
            self._unread.add(key, read, last)

    def _must_read_slices(self, name: Name) -> None:
        key = self._slice_of.get(name)
        performer = self.performers.get(key) if key else None
        service = self._services.get(key) if key else None
        if key is None or performer is None or performer.deleted is not None or service is None:
            return
        owner = next(view.owner for view in self._endpoints[key] if view.name == name[1])
        if owner == service.uid and own_service(service, performer):
            service_name = names.service_name(performer.name)
            self._unread.add(key, Read("endpointslices", name[0], service_name))

    def _put_endpoints(self, name: Name, obj: Object | None) -> Iterable[Key]:
        affected = []
        # First: one that cannot be read changes nothing.
        view = endpoints_view(obj) if obj is not None else None
        before = self._slice_of.pop(name, None)
        if before is not None:
            replace_view(self._endpoints, before, name[1], None)
            affected.append(before)
        labels = ((obj or {}).get("metadata") or {}).get("labels") or {}
        performer = names.performer_of_service(labels.get("kubernetes.io/service-name", ""))
        if view is not None and performer is not None:
            after = self._slice_of[name] = (name[0], performer)
            replace_view(self._endpoints, after, name[1], view)
            affected.append(after)
        return affected

    def _put_budget(self, name: Name, obj: Object | None) -> Iterable[Key]:
        view = budget_view(obj) if obj is not None else None
        if not self.budgets.put(*name, view):
            return ()
        performer = names.performer_of_service(name[1])
        own = (name[0], performer) if performer is not None else None
        if own in self.performers:
            return (own,)
        # One of others may select any pod of its namespace.
        return [key for key in self.performers if key[0] == name[0]]

    def _put_slice(self, name: Name, obj: Object | None) -> Iterable[Key]:
        changed = self._nodes.put_slice(name[1], obj)
        return () if changed is None else self._keys_on(self._nodes.reached(changed))

    def _keys_on(self, nodes: Iterable[str]) -> Iterable[Key]:
        """Performers with a pod on one of these nodes, or on none yet."""
        keys = dict.fromkeys(self._pods.keys_on(""))
        for node in nodes:
            keys.update(dict.fromkeys(self._pods.keys_on(node)))
        return keys

    def _put_template(self, name: Name, obj: Object | None) -> Iterable[Key]:
        performer = names.performer_of_template(name[1])
        if performer is None:
            return ()
        key = (name[0], performer)
        view = template_view(obj) if obj is not None else None
        replace_view(self._templates, key, name[1], view)
        return (key,)

    def _put_node(self, name: Name, obj: Object | None) -> Iterable[Key]:
        return self._keys_on([name[1]]) if self._nodes.put(name[1], obj) else ()


def _name(obj: Object) -> Name:
    meta: Mapping[str, Any] = obj["metadata"]
    return (intern(meta.get("namespace", "")), intern(meta["name"]))


def _version(obj: Object) -> int:
    return int(obj["metadata"]["resourceVersion"])
