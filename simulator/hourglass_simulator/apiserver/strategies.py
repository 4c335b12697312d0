"""Which strategy serves which resource; the small strategies themselves."""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.certificate_requests import CertificateRequestStrategy
from hourglass_simulator.apiserver.definitions import DefinitionStrategy
from hourglass_simulator.apiserver.device_taints import SliceStrategy, TaintRuleStrategy
from hourglass_simulator.apiserver.generic import GenericStrategy, SecretStrategy
from hourglass_simulator.apiserver.pods import PodStrategy
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.services import ServiceStrategy
from hourglass_simulator.apiserver.strategy import Strategy, kept
from hourglass_simulator.kubernetes.version import Version

NAME_LABEL = "kubernetes.io/metadata.name"


class NamespaceStrategy(Strategy):
    """A namespace stays until its finalizer `kubernetes` is gone."""

    trusts_components = True

    def defaulted(self, obj: JSON) -> JSON:
        """Labelled with its name."""
        meta = obj.get("metadata") or {}
        if not meta.get("name"):
            return obj
        labels = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}
        return {**obj, "metadata": {**meta, "labels": labels}}

    def create(self, obj: JSON) -> JSON:
        """Active, labelled with its name."""
        meta = obj["metadata"]
        labels = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}
        return {
            **obj,
            "metadata": {**meta, "labels": labels},
            "spec": {"finalizers": _finalizers(obj.get("spec") or {})},
            "status": {"phase": "Active"},
        }

    def restored(self, obj: JSON) -> JSON:
        """With its label, the finalizer of its spec and a phase."""
        spec, status = obj.get("spec"), {"phase": "Active", **(obj.get("status") or {})}
        spec = {"finalizers": _finalizers({})} if spec is None else spec
        return {**self.defaulted(obj), "spec": spec, "status": status}

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The spec's finalizers move through the subresource `finalize` only."""
        meta = new["metadata"]
        labels = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}
        if labels != meta.get("labels"):
            new = {**new, "metadata": {**meta, "labels": labels}}
        if subresource == "finalize":
            return kept(new, "status", old)
        if subresource == "status":
            new = {**new, "status": {"phase": "Active", **(new.get("status") or {})}}
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


def _finalizers(spec: JSON) -> list[str]:
    """What was sent, and the one of the namespace controller."""
    given = spec.get("finalizers") or []
    return given if "kubernetes" in given else [*given, "kubernetes"]


class NodeStrategy(Strategy):
    """A node: unlike other objects it may be created with its status."""

    trusts_components = True

    def create(self, obj: JSON) -> JSON:
        """With a spec and a status."""
        return {"spec": {}, **obj, "status": _allocatable(obj.get("status") or {})}

    def restored(self, obj: JSON) -> JSON:
        """As it was created: its status came with it."""
        return self.create(obj)

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

    trusts_components = True

    def defaulted(self, obj: JSON) -> JSON:
        """With protocols."""
        return _slice(obj)

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
    """With protocols; without the topology of an earlier version of the API."""
    ports = [{"name": "", "protocol": "TCP", **port} for port in obj.get("ports") or ()]
    endpoints = obj.get("endpoints") or []
    if any("deprecatedTopology" in endpoint for endpoint in endpoints):
        endpoints = [
            {name: value for name, value in endpoint.items() if name != "deprecatedTopology"}
            for endpoint in endpoints
        ]
    return {**obj, "endpoints": endpoints or None, "ports": ports or None}


class LeaseStrategy(Strategy):
    """A lease."""

    trusts_components = True

    def create(self, obj: JSON) -> JSON:
        """With a spec."""
        return _lease(obj)

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """Without what is switched off."""
        return _lease(super().update(new, old, subresource))


def _lease(obj: JSON) -> JSON:
    """Without the fields of coordinated leader election, which is switched off."""
    spec = obj.get("spec") or {}
    if "strategy" in spec or "preferredHolder" in spec:
        off = ("strategy", "preferredHolder")
        spec = {name: value for name, value in spec.items() if name not in off}
    return {**obj, "spec": spec}


class EventStrategy(Strategy):
    """An Event about an object of its namespace."""

    trusts_components = True

    def create(self, obj: JSON) -> JSON:
        """With all that a typed Event always prints."""
        return {**_EVENT, **obj}


_EVENT: JSON = {
    "involvedObject": {},
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}


_PECULIAR: dict[str, type[Strategy]] = {
    "certificatesigningrequests": CertificateRequestStrategy,
    "customresourcedefinitions": DefinitionStrategy,
    "devicetaintrules": TaintRuleStrategy,
    "endpointslices": EndpointSliceStrategy,
    "events": EventStrategy,
    "leases": LeaseStrategy,
    "namespaces": NamespaceStrategy,
    "nodes": NodeStrategy,
    "pods": PodStrategy,
    "resourceslices": SliceStrategy,
    "secrets": SecretStrategy,
    "services": ServiceStrategy,
}


def strategy(resource: Resource, version: Version) -> Strategy:
    """The strategy of a built-in resource."""
    return _PECULIAR.get(resource.plural, GenericStrategy)(resource, version)
