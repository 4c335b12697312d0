"""What the calls of the API server do to stored objects.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go
"""

from random import Random

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import deletion, errors, metadata, validation
from hourglass_simulator.apiserver.admission import Admission
from hourglass_simulator.apiserver.customresource import compiled
from hourglass_simulator.apiserver.expiry import Expiry
from hourglass_simulator.apiserver.resources import BUILT_IN, custom
from hourglass_simulator.apiserver.store import Store, Table
from hourglass_simulator.apiserver.strategies import CustomResourceStrategy, strategy
from hourglass_simulator.apiserver.strategy import Strategy
from hourglass_simulator.clock import Clock

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Namespaces that every cluster has."""
EVENT_TTL_SECONDS = 3600.0
"""How long an Event is kept after it was written last."""
_SYSTEM_PRIORITIES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}


class Registry:
    """The resources of a cluster, each with its objects and its strategy."""

    def __init__(self, clock: Clock, random: Random, history: int) -> None:
        self.store = Store(history)
        self._clock = clock
        self._random = random
        self._strategies: dict[str, Strategy] = {}
        self._admission = Admission(self.store, random)
        for resource in BUILT_IN:
            self.store.serve(resource)
            self._strategies[resource.plural] = strategy(resource)
        Expiry(clock, self.table("events"), EVENT_TTL_SECONDS)
        for name in NAMESPACES:
            self.create("namespaces", {"metadata": {"name": name}}, "")
        for name, value in _SYSTEM_PRIORITIES.items():
            self.create("priorityclasses", {"metadata": {"name": name}, "value": value}, "")

    def table(self, plural: str, subresource: str = "") -> Table:
        """The objects of a resource; 404 when it is not served."""
        table = self.store.table(plural)
        if table is None or (subresource and subresource not in table.resource.subresources):
            raise errors.unknown_resource()
        return table

    def find(self, table: Table, namespace: str, name: str) -> JSON:
        """A stored object; 404 when there is none."""
        found = table.find(namespace if table.resource.namespaced else "", name)
        if found is None:
            raise errors.not_found(table.resource, name)
        return found

    def create(self, plural: str, obj: JSON, namespace: str) -> JSON:
        """Store a new object."""
        table = self.table(plural)
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
                meta, namespace, name, metadata.uid(self._random), self._clock.timestamp()
            ),
        }
        if resource.custom:
            self._admission.definition(resource, name)
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
            self._admission.pod_security(resource, new)
        if resource.namespaced:
            self._admission.quota(table, new)
        if table.find(namespace, name) is not None:
            raise errors.already_exists(resource, name)
        if table.dry:
            return new
        if plural == "customresourcedefinitions":
            self._define(new)
        stored = table.put(None, new)
        own.created(stored)
        return stored

    def refuse_unknown_fields(self, plural: str, obj: JSON) -> None:
        """400 for fields that the schema of a custom resource does not know."""
        self._strategies[self.table(plural).resource.plural].refuse_unknown_fields(obj)

    def update(self, plural: str, obj: JSON, subresource: str) -> JSON:
        """Store an object in the place of the one it names."""
        table = self.table(plural, subresource)
        resource = table.resource
        meta = obj.get("metadata") or {}
        namespace, name = meta.get("namespace", ""), meta.get("name", "")
        old = table.find(namespace if resource.namespaced else "", name)
        if old is None and resource.create_on_update and not subresource:
            return self.create(plural, obj, namespace)
        if old is None:
            raise errors.not_found(resource, name)
        if not meta.get("resourceVersion") and not resource.unconditional_update:
            raise errors.version_required(resource, name)
        validation.update_precondition(resource, old, meta.get("uid"))
        if "apiVersion" not in obj or "kind" not in obj:
            obj = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        return self.replace(table, old, obj, subresource)

    def replace(self, table: Table, old: JSON, new: JSON, subresource: str) -> JSON:
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
        if resource.plural == "customresourcedefinitions" and not table.dry:
            self._define(stored)
        return stored

    def delete(
        self, table: Table, old: JSON, grace_period_seconds: int | None, policy: str | None
    ) -> JSON:
        """Delete a stored object, or begin to."""
        resource, own = table.resource, self._strategies[table.resource.plural]
        now = self._clock.unix_time
        instead = own.delete(old, self._clock.timestamp())
        if instead is not None:
            return old if instead is old else table.put(old, instead)
        outcome = deletion.delete(old, own, grace_period_seconds, policy, now)
        stored = old if outcome.obj is old else table.put(old, outcome.obj)
        if not outcome.gone:
            return stored
        removed = self._removed(table, stored)
        return removed if resource.returns_deleted else errors.deleted(resource, removed)

    def bind(self, namespace: str, name: str, node: str) -> None:
        """Assign a pod to a node."""
        table = self.table("pods", "binding")
        pod = self.find(table, namespace, name)
        table.put(pod, validation.bound(table.resource, pod, node, self._clock.timestamp()))

    def evict(self, namespace: str, name: str, grace_period_seconds: int | None) -> None:
        """Mark a pod as disrupted and delete it."""
        table = self.table("pods", "eviction")
        pod = self.find(table, namespace, name)
        marked = validation.disrupted(pod, self._clock.timestamp())
        stored = pod if marked == pod else table.put(pod, marked)
        self.delete(table, stored, grace_period_seconds, None)

    def _removed(self, table: Table, old: JSON) -> JSON:
        removed = table.remove(old)
        if table.dry:
            return removed
        plural = table.resource.plural
        self._strategies[plural].deleted(removed)
        if plural == "customresourcedefinitions":
            self.store.drop(removed["spec"]["names"]["plural"])
        return removed

    def _define(self, crd: JSON) -> None:
        resource = custom(crd)
        self.store.serve(resource)
        self._strategies[resource.plural] = CustomResourceStrategy(resource, compiled(crd))
