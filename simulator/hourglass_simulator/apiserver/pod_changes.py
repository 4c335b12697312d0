"""What the subresources of a pod change: the rest stays, whatever is sent.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/pod/strategy.go
"""

from collections.abc import Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import disabled_fields, pod_defaults
from hourglass_simulator.kubernetes.version import Version

_OWN_METADATA = (
    *("labels", "annotations", "ownerReferences", "finalizers"),
    *("deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"),
)


def ephemeral_containers(new: JSON, old: JSON, version: Version) -> JSON:
    """The stored pod with the ephemeral containers of another."""
    containers = (new.get("spec") or {}).get("ephemeralContainers")
    spec = {k: v for k, v in old["spec"].items() if k != "ephemeralContainers"}
    if containers:
        spec["ephemeralContainers"] = containers
    return {**old, "spec": disabled_fields.without(pod_defaults.defaulted(spec), version)}


def resized(new: JSON, old: JSON) -> JSON:
    """The stored pod with the resources of another.

    One with other containers stays as it is: validation refuses it.
    """
    spec, before = pod_defaults.defaulted(new.get("spec") or {}), old["spec"]
    kinds = ("containers", "initContainers")
    given = {kind: spec.get(kind) or [] for kind in kinds}
    if any(len(given[kind]) != len(before.get(kind) or []) for kind in kinds):
        return {**new, "spec": spec}
    merged = {kind: _resources(given[kind], before.get(kind) or []) for kind in kinds}
    result = {**before, **{kind: found for kind, found in merged.items() if found}}
    meta = {k: v for k, v in new["metadata"].items() if k not in _OWN_METADATA}
    meta |= {k: v for k, v in old["metadata"].items() if k in _OWN_METADATA}
    return {**new, "metadata": meta, "spec": result, "status": old["status"]}


def _resources(new: Sequence[JSON], old: Sequence[JSON]) -> Sequence[JSON]:
    result: list[JSON] = []
    fields = ("resources", "resizePolicy")
    for container, own in zip(new, old, strict=True):
        if container.get("name") != own.get("name"):
            return new
        merged: JSON = {k: v for k, v in own.items() if k not in fields}
        merged |= {k: container[k] for k in fields if k in container}
        result.append(merged)
    return result
