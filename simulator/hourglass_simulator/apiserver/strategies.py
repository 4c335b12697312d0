"""Which strategy serves which resource; the small strategies themselves."""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.customresource import CustomResource
from hourglass_simulator.apiserver.pods import PodStrategy
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError
from hourglass_simulator.apiserver.services import ServiceStrategy
from hourglass_simulator.apiserver.strategy import Strategy, kept

NAME_LABEL = "kubernetes.io/metadata.name"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer of a CustomResourceDefinition that is deleted."""


class NamespaceStrategy(Strategy):
    """A namespace stays until its finalizer `kubernetes` is gone."""

    def create(self, obj: JSON) -> JSON:
        """Active, labelled with its name."""
        meta = obj["metadata"]
        labels = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}
        return {
            **obj,
            "metadata": {**meta, "labels": labels},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The spec's finalizers move through the subresource `finalize` only."""
        if subresource == "finalize":
            return kept(new, "status", old)
        meta = new["metadata"]
        labels = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}
        if labels != meta.get("labels"):
            new = {**new, "metadata": {**meta, "labels": labels}}
        return super().update(kept(new, "spec", old), old, subresource)

    def delete(self, obj: JSON, timestamp: str) -> JSON | None:
        """Terminating until the namespace controller has emptied it and taken its finalizer."""
        if not obj["spec"].get("finalizers"):
            return None
        if "deletionTimestamp" in obj["metadata"]:
            return obj
        meta = {**obj["metadata"], "deletionTimestamp": timestamp}
        return {**obj, "metadata": meta, "status": {**obj["status"], "phase": "Terminating"}}

    def finished(self, new: JSON, old: JSON) -> bool:
        """Also without the finalizer of its spec."""
        return super().finished(new, old) and not new["spec"].get("finalizers")


class NodeStrategy(Strategy):
    """A node: unlike other objects it may be created with its status.

    The real server adds a taint `not-ready` to every new node, which the node lifecycle controller
    takes away; here nodes come as they are described.
    """

    def create(self, obj: JSON) -> JSON:
        """With a spec and a status."""
        return {"spec": {}, **obj, "status": _allocatable(obj.get("status") or {})}

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """What is allocatable is the capacity, unless it is said."""
        if subresource == "status":
            new = {**new, "status": _allocatable(new.get("status") or {})}
        return super().update(new, old, subresource)


def _allocatable(status: JSON) -> JSON:
    if "capacity" not in status or status.get("allocatable"):
        return status
    return {**status, "allocatable": status["capacity"]}


class EndpointSliceStrategy(Strategy):
    """An EndpointSlice, which has no spec."""

    def create(self, obj: JSON) -> JSON:
        """With protocols."""
        return _slice(obj)

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """With protocols."""
        return _slice(super().update(new, old, subresource))

    def differs(self, new: JSON, old: JSON) -> bool:
        """Changed labels are a new generation, too."""
        labels = new["metadata"].get("labels"), old["metadata"].get("labels")
        return labels[0] != labels[1] or super().differs(new, old)


def _slice(obj: JSON) -> JSON:
    ports = [{"name": "", "protocol": "TCP", **port} for port in obj.get("ports") or ()]
    return {**obj, "endpoints": obj.get("endpoints") or None, "ports": ports or None}


class LeaseStrategy(Strategy):
    """A lease."""

    def create(self, obj: JSON) -> JSON:
        """With a spec."""
        return {"spec": {}, **obj}


class EventStrategy(Strategy):
    """An Event about an object of its namespace."""

    def create(self, obj: JSON) -> JSON:
        """With all that a typed Event always prints."""
        return {**_EVENT, **obj}

    def faults(self, new: JSON, old: JSON | None) -> Iterator[FieldError]:
        """Also an object elsewhere; objects without namespace have Events in `default`."""
        yield from super().faults(new, old)
        namespace = new["involvedObject"].get("namespace", "")
        own = new["metadata"]["namespace"]
        if namespace != own and not (not namespace and own == "default"):
            why = "does not match event.namespace"
            yield FieldError(ErrorType.INVALID, "involvedObject.namespace", namespace, why)


_EVENT: JSON = {
    "involvedObject": {},
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}


class ResourceQuotaStrategy(Strategy):
    """A quota whose use is counted at admission."""

    def create(self, obj: JSON) -> JSON:
        """Nothing is used yet, as far as the quota knows."""
        return {**obj, "status": {}}


class PriorityClassStrategy(Strategy):
    """A priority class."""

    def create(self, obj: JSON) -> JSON:
        """With its preemption policy."""
        return {"preemptionPolicy": "PreemptLowerPriority", **obj}


class SecretStrategy(Strategy):
    """A secret without its values: the keys show whether a variable can be filled."""

    def create(self, obj: JSON) -> JSON:
        """Values are emptied before anything is stored."""
        return {"type": "Opaque", **_without_values(obj)}

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """Values are emptied before anything is stored."""
        return super().update(_without_values(new), old, subresource)


def _without_values(obj: JSON) -> JSON:
    keys = sorted({*(obj.get("data") or ()), *(obj.get("stringData") or ())})
    kept_fields = {k: v for k, v in obj.items() if k not in ("data", "stringData")}
    return {**kept_fields, "data": dict.fromkeys(keys, "")} if keys else kept_fields


class DefinitionStrategy(Strategy):
    """A CustomResourceDefinition, which is deleted when its objects are gone.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition/etcd.go
    """

    def delete(self, obj: JSON, timestamp: str) -> JSON | None:
        """Terminating, with a finalizer, until the controller has emptied it."""
        meta, status = obj["metadata"], obj.get("status") or {}
        if "deletionTimestamp" in meta:
            return None
        why = "CustomResourceDefinition marked for deletion; "
        why += "CustomResource deletion will begin soon"
        terminating = {
            "type": "Terminating",
            "status": "True",
            "lastTransitionTime": timestamp,
            "reason": "InstanceDeletionPending",
            "message": why,
        }
        marked = {
            **meta,
            "deletionTimestamp": timestamp,
            "finalizers": [*(meta.get("finalizers") or ()), CLEANUP],
        }
        conditions = [*(status.get("conditions") or ()), terminating]
        return {**obj, "metadata": marked, "status": {**status, "conditions": conditions}}


class CustomResourceStrategy(Strategy):
    """Objects of a CustomResourceDefinition."""

    def __init__(self, resource: Resource, definition: CustomResource) -> None:
        super().__init__(resource)
        self._definition = definition

    def create(self, obj: JSON) -> JSON:
        """Defaulted, pruned, validated, without status."""
        return self._definition.admit(obj)

    def refuse_unknown_fields(self, obj: JSON) -> None:
        """By the schema of the definition."""
        self._definition.refuse_unknown_fields(obj)

    def faults(self, new: JSON, old: JSON | None) -> Iterator[FieldError]:
        """Only of changed metadata: the definition validates the rest."""
        if old is not None:
            yield from super().faults(new, old)

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The status moves through the subresource only, and nothing else does through it."""
        if subresource == "status":
            new = kept(new, "metadata", old)
        return self._definition.admit(new, old, subresource=subresource)


_PECULIAR: dict[str, type[Strategy]] = {
    "customresourcedefinitions": DefinitionStrategy,
    "endpointslices": EndpointSliceStrategy,
    "events": EventStrategy,
    "leases": LeaseStrategy,
    "namespaces": NamespaceStrategy,
    "nodes": NodeStrategy,
    "pods": PodStrategy,
    "priorityclasses": PriorityClassStrategy,
    "resourcequotas": ResourceQuotaStrategy,
    "secrets": SecretStrategy,
    "services": ServiceStrategy,
}


def strategy(resource: Resource) -> Strategy:
    """The strategy of a built-in resource."""
    return _PECULIAR.get(resource.plural, Strategy)(resource)
