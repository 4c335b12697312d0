"""An API server in memory: storage, versions, conflicts, deletion, watches and admission."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple, TypeVar

from hourglass_simulator.apiserver import deletion, errors, metadata, patches, validation
from hourglass_simulator.apiserver.admission import Admission
from hourglass_simulator.apiserver.calls import Audit, Call, Interceptor
from hourglass_simulator.apiserver.customresource import CustomResource
from hourglass_simulator.apiserver.errors import APIError, CallTimeout
from hourglass_simulator.apiserver.resources import BUILT_IN, Resource, custom
from hourglass_simulator.apiserver.selectors import matcher
from hourglass_simulator.apiserver.store import Store, Table
from hourglass_simulator.apiserver.strategies import CustomResourceStrategy, strategy
from hourglass_simulator.apiserver.strategy import Strategy
from hourglass_simulator.apiserver.watch import (
    ADDED,
    BOOKMARK,
    ERROR,
    JSON,
    Sink,
    Watch,
    WatchEvent,
    deliver,
)
from hourglass_simulator.clock import EPOCH, Clock

T = TypeVar("T")

ADMIN = "admin"
HISTORY = 10_000
"""Changes of a resource that watches can start from."""
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Namespaces that every cluster has."""
_SYSTEM_PRIORITIES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}


class ObjectList(NamedTuple):
    """Objects ordered by namespace and name, and the version at which a watch can go on."""

    items: list[JSON]
    resource_version: str


class APIServer:
    """The API of one cluster; `auditors` hear of every mutating call when it is answered.

    Objects are plain JSON as a real API server returns them. What is passed in or handed out is
    shared, not copied: nobody may change it in place. Calls raise APIError with the texts of
    Kubernetes 1.34, and CallTimeout when an interceptor does.
    """

    def __init__(self, clock: Clock, *, seed: int = 0, history: int = HISTORY) -> None:
        self.clock = clock
        self.interceptors: list[Interceptor] = []
        self.auditors: list[Callable[[Audit], None]] = []
        self._random = Random(seed)
        self._store = Store(history)
        self._strategies: dict[str, Strategy] = {}
        self._admission = Admission(self._store, self._random)
        for resource in BUILT_IN:
            self._store.serve(resource)
            self._strategies[resource.plural] = strategy(resource)
        for name in NAMESPACES:
            self._create("namespaces", {"metadata": {"name": name}}, "")
        for name, value in _SYSTEM_PRIORITIES.items():
            self._create("priorityclasses", {"metadata": {"name": name}, "value": value}, "")

    @property
    def resource_version(self) -> str:
        """The version of the latest commit."""
        return str(self._store.version)

    def resources(self) -> list[Resource]:
        """What is served, by plural name."""
        return [table.resource for table in self._store.tables()]

    def create(self, resource: str, obj: JSON, *, namespace: str = "", user: str = ADMIN) -> JSON:
        """Store a new object under `metadata.name`, or under a name from `generateName`."""
        meta = obj.get("metadata") or {}
        call = Call("create", resource, namespace, meta.get("name", ""), "", user)
        return self._answer(call, lambda: self._create(resource, obj, namespace))

    def get(self, resource: str, namespace: str, name: str, *, user: str = ADMIN) -> JSON:
        """One object."""
        call = Call("get", resource, namespace, name, "", user)
        return self._answer(call, lambda: self._find(self._table(resource), namespace, name))

    def list(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        user: str = ADMIN,
    ) -> ObjectList:
        """Objects of one namespace or of all that match the selectors."""

        def select() -> ObjectList:
            matches = matcher("", label_selector, field_selector, self._table(resource).resource)
            found = self._table(resource).all(namespace)
            items = [obj for obj in found if matches is None or matches(obj)]
            return ObjectList(items, self.resource_version)

        return self._answer(Call("list", resource, namespace, "", "", user), select)

    def update(self, resource: str, obj: JSON, *, subresource: str = "", user: str = ADMIN) -> JSON:
        """Replace an object, or what belongs to a subresource of it."""
        meta = obj.get("metadata") or {}
        namespace, name = meta.get("namespace", ""), meta.get("name", "")
        call = Call("update", resource, namespace, name, subresource, user)
        return self._answer(call, lambda: self._update(resource, obj, subresource))

    def patch(
        self,
        resource: str,
        namespace: str,
        name: str,
        patch: Any,
        content_type: str = patches.MERGE,
        *,
        subresource: str = "",
        user: str = ADMIN,
    ) -> JSON:
        """Change an object by a JSON merge patch, a strategic merge patch or a JSON patch."""
        call = Call("patch", resource, namespace, name, subresource, user)

        def apply() -> JSON:
            table = self._table(resource, subresource)
            patches.require_supported(content_type, table.resource)
            old = self._find(table, namespace, name)
            new = patches.apply(old, patch, content_type)
            return self._replace(table, old, new, subresource)

        return self._answer(call, apply)

    def set_status(self, resource: str, namespace: str, name: str, status: JSON, user: str) -> JSON:
        """Replace the status of a built-in object: what components do most, without validation."""
        call = Call("update", resource, namespace, name, "status", user)

        def replace() -> JSON:
            table = self._table(resource, "status")
            old = self._find(table, namespace, name)
            return old if old.get("status") == status else table.put(old, {**old, "status": status})

        return self._answer(call, replace)

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        grace_period_seconds: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation_policy: str | None = None,
        user: str = ADMIN,
    ) -> JSON:
        """Delete an object or begin to; answers with the object or with a Status.

        `uid` and `resource_version` are preconditions; `propagation_policy` is Background,
        Foreground or Orphan.
        """
        call = Call("delete", resource, namespace, name, "", user)

        def remove() -> JSON:
            table = self._table(resource)
            old = self._find(table, namespace, name)
            validation.preconditions(table.resource, old, uid, resource_version)
            validation.propagation_policy(propagation_policy)
            return self._delete(table, old, grace_period_seconds, propagation_policy)

        return self._answer(call, remove)

    def bind(self, namespace: str, name: str, node: str, *, user: str = ADMIN) -> JSON:
        """Assign a pod to a node: a create of pods/binding."""
        call = Call("create", "pods", namespace, name, "binding", user)

        def assign() -> JSON:
            table = self._table("pods", "binding")
            pod = self._find(table, namespace, name)
            table.put(pod, validation.bound(table.resource, pod, node, self.clock.timestamp()))
            return errors.success(201)

        return self._answer(call, assign)

    def evict(
        self,
        namespace: str,
        name: str,
        *,
        grace_period_seconds: int | None = None,
        user: str = ADMIN,
    ) -> JSON:
        """Delete a pod as a disruption: a create of pods/eviction."""
        call = Call("create", "pods", namespace, name, "eviction", user)

        def disrupt() -> JSON:
            table = self._table("pods", "eviction")
            pod = self._find(table, namespace, name)
            marked = validation.disrupted(pod, self.clock.timestamp())
            pod = pod if marked == pod else table.put(pod, marked)
            self._delete(table, pod, grace_period_seconds, None)
            return errors.success(201)

        return self._answer(call, disrupt)

    def watch(
        self,
        resource: str,
        *,
        sink: Sink,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str | None = None,
        allow_bookmarks: bool = False,
        user: str = ADMIN,
    ) -> Watch:
        """Tell `sink` of every change after a version, during the call that makes the change.

        Without a version, or with "0", what exists comes first as ADDED. A version that is no
        longer kept gives one ERROR event with the Status 410 and a stopped watch. The sink must
        not write to the API server; it may stop the watch.
        """

        def begin() -> Watch:
            table = self._table(resource)
            matches = matcher(namespace, label_selector, field_selector, table.resource)
            watch = Watch(matches, sink, table.watches.remove, bookmarks=allow_bookmarks)
            version = validation.resource_version(resource_version)
            table.watches.append(watch)
            if not version:
                for obj in table.all(namespace):
                    if matches is None or matches(obj):
                        sink(WatchEvent(ADDED, obj))
            elif version < table.history.oldest:
                expired = errors.expired(version, table.history.oldest)
                sink(WatchEvent(ERROR, expired.status()))
                watch.stop()
            else:
                for change in table.history.since(version):
                    deliver(change, [watch])
            return watch

        return self._answer(Call("watch", resource, namespace, "", "", user), begin)

    def send_bookmarks(self) -> None:
        """Tell every watch that allows it where it stands; a real server does it once a minute."""
        for table in self._store.tables():
            resource = table.resource
            event = WatchEvent(
                BOOKMARK,
                {
                    "apiVersion": resource.api_version,
                    "kind": resource.kind,
                    "metadata": {"resourceVersion": self.resource_version},
                },
            )
            for watch in tuple(table.watches):
                if watch.bookmarks and not watch.stopped:
                    watch.send(event)

    def compact(self, resource: str) -> None:
        """Forget the history of a resource: only watches from now on can start."""
        self._table(resource).history.compact(self._store.version)

    def _answer(self, call: Call, work: Callable[[], T]) -> T:
        """Do the work of a call between the questions to interceptors, and tell the auditors."""
        code = 201 if call.verb == "create" else 200
        try:
            for interceptor in self.interceptors:
                interceptor.before(call)
            answer = work()
            for interceptor in self.interceptors:
                interceptor.after(call)
        except APIError as error:
            code = error.code
            raise
        except CallTimeout:
            code = 0
            raise
        finally:
            if self.auditors and call.mutating:
                audit = Audit(self.clock.now, call, code)
                for auditor in self.auditors:
                    auditor(audit)
        return answer

    def _table(self, plural: str, subresource: str = "") -> Table:
        table = self._store.table(plural)
        if table is None or (subresource and subresource not in table.resource.subresources):
            raise errors.unknown_resource()
        return table

    def _find(self, table: Table, namespace: str, name: str) -> JSON:
        found = table.find(namespace if table.resource.namespaced else "", name)
        if found is None:
            raise errors.not_found(table.resource, name)
        return found

    def _create(self, plural: str, obj: JSON, namespace: str) -> JSON:
        table = self._table(plural)
        resource = table.resource
        validation.body(resource, obj)
        meta = obj.get("metadata") or {}
        if meta.get("resourceVersion"):
            raise errors.internal("resourceVersion should not be set on objects to be created")
        namespace = validation.namespace(resource, meta, namespace)
        name = meta.get("name") or ""
        if not name and meta.get("generateName"):
            name = metadata.generated_name(meta["generateName"], self._random)
        new = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            **obj,
            "metadata": metadata.created(
                meta, namespace, name, metadata.uid(self._random), self.clock.timestamp()
            ),
        }
        if resource.namespaced:
            self._admission.namespace(resource, namespace, name)
        if resource.has_generation:
            new["metadata"]["generation"] = 1
        if plural == "pods":
            new = self._admission.pod(resource, new)
        own = self._strategies[plural]
        new = own.create(new)
        validation.refuse(resource, new, own.faults(new, None))
        if plural == "pods":
            self._admission.pod_quota(resource, new)
        if table.find(namespace, name) is not None:
            raise errors.already_exists(resource, name)
        if plural == "customresourcedefinitions":
            self._define(new)
        stored = table.put(None, new)
        own.created(stored)
        return stored

    def _update(self, plural: str, obj: JSON, subresource: str) -> JSON:
        table = self._table(plural, subresource)
        resource = table.resource
        meta = obj.get("metadata") or {}
        namespace, name = meta.get("namespace", ""), meta.get("name", "")
        old = table.find(namespace if resource.namespaced else "", name)
        if old is None and resource.create_on_update and not subresource:
            return self._create(plural, obj, namespace)
        if old is None:
            raise errors.not_found(resource, name)
        if not meta.get("resourceVersion") and not resource.unconditional_update:
            raise errors.version_required(resource, name)
        validation.update_precondition(resource, old, meta.get("uid"))
        if "apiVersion" not in obj or "kind" not in obj:
            obj = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        return self._replace(table, old, obj, subresource)

    def _replace(self, table: Table, old: JSON, new: JSON, subresource: str) -> JSON:
        """Store what an update or a patch asks for, if it changes anything."""
        if new is old:
            return old
        resource, own = table.resource, self._strategies[table.resource.plural]
        before, meta = old["metadata"], new.get("metadata") or {}
        validation.addressed(old, meta)
        if meta.get("resourceVersion", before["resourceVersion"]) != before["resourceVersion"]:
            raise errors.modified(resource, before["name"])
        meta = metadata.updated(meta, before)
        if meta is not new.get("metadata"):
            new = {**new, "metadata": meta}
        new = own.update(new, old, subresource)
        validation.refuse(resource, new, own.faults(new, old))
        if own.finished(new, old):
            self._removed(table, old)
            return new
        if resource.has_generation and own.differs(new, old):
            generation = before.get("generation", 0) + 1
            new = {**new, "metadata": {**new["metadata"], "generation": generation}}
        if new == old:
            return old
        stored = table.put(old, new)
        if resource.plural == "customresourcedefinitions":
            self._define(stored)
        return stored

    def _delete(
        self, table: Table, old: JSON, grace_period_seconds: int | None, policy: str | None
    ) -> JSON:
        resource, own = table.resource, self._strategies[table.resource.plural]
        now = EPOCH.timestamp() + self.clock.now
        instead = own.delete(old, self.clock.timestamp())
        if instead is not None:
            return old if instead is old else table.put(old, instead)
        outcome = deletion.delete(old, own, grace_period_seconds, policy, now)
        stored = old if outcome.obj is old else table.put(old, outcome.obj)
        if not outcome.gone:
            return stored
        removed = self._removed(table, stored)
        return removed if resource.returns_deleted else errors.deleted(resource, removed)

    def _removed(self, table: Table, old: JSON) -> JSON:
        removed = table.remove(old)
        plural = table.resource.plural
        self._strategies[plural].deleted(removed)
        if plural == "customresourcedefinitions":
            self._store.drop(removed["spec"]["names"]["plural"])
        return removed

    def _define(self, crd: JSON) -> None:
        resource = custom(crd)
        self._store.serve(resource)
        self._strategies[resource.plural] = CustomResourceStrategy(resource, CustomResource(crd))
