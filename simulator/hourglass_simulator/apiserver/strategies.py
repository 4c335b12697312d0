"""Which strategy serves which resource; the small strategies themselves."""

from hourglass_simulator.apiserver.customresource import CustomResource
from hourglass_simulator.apiserver.pods import PodStrategy
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.services import ServiceStrategy
from hourglass_simulator.apiserver.strategy import Strategy, kept
from hourglass_simulator.apiserver.watch import JSON

NAME_LABEL = "kubernetes.io/metadata.name"


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
    """A secret without its values: keys tell whether a variable can be filled."""

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


class CustomResourceStrategy(Strategy):
    """Objects of a CustomResourceDefinition."""

    def __init__(self, resource: Resource, definition: CustomResource) -> None:
        super().__init__(resource)
        self._definition = definition

    def create(self, obj: JSON) -> JSON:
        """Defaulted, pruned, validated, without status."""
        return self._definition.admit(obj)

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The status moves through the subresource only, and nothing else does through it."""
        if subresource == "status":
            new = kept(new, "metadata", old)
        return self._definition.admit(new, old, subresource=subresource)


_PECULIAR: dict[str, type[Strategy]] = {
    "namespaces": NamespaceStrategy,
    "pods": PodStrategy,
    "priorityclasses": PriorityClassStrategy,
    "resourcequotas": ResourceQuotaStrategy,
    "secrets": SecretStrategy,
    "services": ServiceStrategy,
}


def strategy(resource: Resource) -> Strategy:
    """The strategy of a built-in resource."""
    return _PECULIAR.get(resource.plural, Strategy)(resource)
