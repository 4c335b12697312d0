"""Nodes, Namespaces, PriorityClasses and RuntimeClasses.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/scheduling/validation
https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/node/validation
"""

import re
from collections.abc import Iterator

from hourglass_kube import label
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import (
    addresses,
    labels,
    names,
    object_meta,
    resources,
    scheduling,
)
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    duplicate,
    each,
    forbidden,
    immutable,
    invalid,
)
from hourglass_simulator.apiserver.rules.go_text import printed
from hourglass_simulator.apiserver.rules.pod_warnings import DEPRECATED_LABELS

_LARGEST_PRIORITY = 1_000_000_000
_SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_PREEMPTIONS = ("PreemptLowerPriority", "Never")
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_LONGEST_FEATURE = 253
_FEATURE = re.compile(r"[A-Z][a-zA-Z0-9]*(/[a-zA-Z][a-zA-Z0-9]*)*", re.ASCII)
_FEATURE_RULE = (
    "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g.,"
    " MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
)
_NO_STANDARD = "name is neither a standard finalizer name nor is it fully qualified"


def node_created(node: JSON) -> Faults:
    """What is wrong with a new node."""
    yield from object_meta.created("nodes", node["metadata"])
    spec, networks = node.get("spec") or {}, (node.get("spec") or {}).get("podCIDRs") or []
    yield from scheduling.taints("metadata.taints", spec.get("taints") or [])
    yield from _amounts(node)
    for index, network in enumerate(networks):
        yield from addresses.network(f"spec.podCIDRs[{index}]", network)
    if len(networks) > 1 and (len(networks) > 2 or not addresses.is_dual_stack(networks)):
        why = "may specify no more than one CIDR for each IP family"
        yield invalid("spec.podCIDRs", networks, why)


def _amounts(node: JSON) -> Faults:
    for kind in ("capacity", "allocatable"):
        for name, value in sorted(((node.get("status") or {}).get(kind) or {}).items()):
            yield from resources.resource_value(f"status.{kind}.{name}", name, value)


def _declared_features(path: str, features: list[str]) -> Faults:
    """Features that the kubelet declares, in order and each once."""
    for index, feature in enumerate(features):
        if len(feature) > _LONGEST_FEATURE:
            why = f"must be no more than {_LONGEST_FEATURE} characters"
            yield invalid(f"{path}[{index}]", feature, f'invalid feature name "{feature}": {why}')
        elif not _FEATURE.fullmatch(feature):
            why = f'invalid feature name "{feature}": {_FEATURE_RULE}'
            yield invalid(f"{path}[{index}]", feature, why)
        following = features[index + 1] if index + 1 < len(features) else None
        if following == feature:
            yield duplicate(f"{path}[{index + 1}]", following)
        elif following is not None and following < feature:
            yield invalid(f"{path}[{index + 1}]", following, "list must be sorted alphabetically")


def node_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed node."""
    yield from node_created(new)
    yield from node_status(new, old)


def node_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a node whose status has changed."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "nodes")
    yield from _amounts(new)
    features = (new.get("status") or {}).get("declaredFeatures") or []
    yield from _declared_features("status.declaredFeatures", features)
    seen: set[tuple[str, str]] = set()
    for index, address in enumerate((new.get("status") or {}).get("addresses") or ()):
        key = (address.get("type") or "", address.get("address") or "")
        if key in seen:
            shown = printed("core.NodeAddress", address)
            yield duplicate(f"status.addresses[{index}]", shown)
        seen.add(key)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    networks, own = spec.get("podCIDRs") or [], before.get("podCIDRs") or []
    why = 'node updates may not change podCIDR except from "" to valid'
    if own and len(own) != len(networks):
        yield forbidden("spec.podCIDRs", why)
    elif own:
        for network, known in zip(networks, own, strict=True):
            if network != known:
                yield forbidden("spec.podCIDRs", why)
    provider = before.get("providerID")
    if provider and spec.get("providerID") != provider:
        if gates.since(37):
            yield invalid("spec.providerID", None, "field cannot be modified once set")
        else:
            why = 'node updates may not change providerID except from "" to valid'
            yield forbidden("spec.providerID", why)
    yield from scheduling.taints("metadata.taints", spec.get("taints") or [])
    if (spec.get("externalID") or "") != (before.get("externalID") or ""):
        yield forbidden("spec.externalID", "may not be updated")


def namespace_created(namespace: JSON) -> Faults:
    """What is wrong with a new namespace."""
    yield from object_meta.created("namespaces", namespace["metadata"])
    for finalizer in (namespace.get("spec") or {}).get("finalizers") or ():
        yield from _finalizer("spec.finalizers", finalizer)


def _finalizer(field: str, name: str) -> Faults:
    yield from each(field, name, label.key_faults(name))
    if "/" not in name and name not in _STANDARD_FINALIZERS:
        yield invalid(field, name, _NO_STANDARD)


def namespace_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed namespace."""
    yield from namespace_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"], "namespaces")


def namespace_finalized(new: JSON, old: JSON) -> Faults:
    """What is wrong with finalizers that have changed."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "namespaces")
    for index, finalizer in enumerate((new.get("spec") or {}).get("finalizers") or ()):
        yield from _finalizer(f"spec.finalizers[{index}]", finalizer)


def namespace_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "namespaces")
    phase, goes = (
        (new.get("status") or {}).get("phase") or "",
        "deletionTimestamp" in new["metadata"],
    )
    if goes and phase != "Terminating":
        why = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        yield invalid("status.Phase", phase, why)
    elif not goes and phase != "Active":
        why = "may only be 'Active' if `deletionTimestamp` is empty"
        yield invalid("status.Phase", phase, why)


def priority_created(found: JSON) -> Faults:
    """What is wrong with a new PriorityClass."""
    yield from object_meta.created("priorityclasses", found["metadata"])
    name, value = found["metadata"]["name"], found.get("value") or 0
    if name.startswith("system-"):
        if wrong := _no_system_class(name, value, found.get("globalDefault")):
            why = "priority class names with 'system-' prefix are reserved for system use only. "
            yield forbidden("metadata.name", f"{why}error: {wrong}")
    elif value > _LARGEST_PRIORITY:
        why = f"maximum allowed value of a user defined priority is {_LARGEST_PRIORITY}"
        yield forbidden("value", why)
    if found.get("preemptionPolicy") is not None:
        yield from choice("preemptionPolicy", found["preemptionPolicy"], _PREEMPTIONS)


def _no_system_class(name: str, value: int, default: bool | None) -> str:
    if name not in _SYSTEM:
        return f"{name} is not a known system priority class"
    if value != _SYSTEM[name]:
        return f"value of {name} PriorityClass must be {_SYSTEM[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if default else ""


def priority_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed PriorityClass."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "priorityclasses")
    if (new.get("value") or 0) != (old.get("value") or 0):
        yield forbidden("value", "may not be changed in an update.")
    policies = new.get("preemptionPolicy"), old.get("preemptionPolicy")
    yield from immutable("preemptionPolicy", *policies)


def runtime_created(found: JSON) -> Faults:
    """What is wrong with a new RuntimeClass."""
    yield from object_meta.created("runtimeclasses", found["metadata"])
    handler = found.get("handler") or ""
    yield from each("handler", handler, names.dns_label(handler))
    if found.get("overhead") is not None:
        limits = {"limits": found["overhead"].get("podFixed")}
        yield from resources.requirements("overhead", limits, ())
    where = found.get("scheduling") or {}
    yield from labels.labels("scheduling.nodeSelector", where.get("nodeSelector"))
    tolerations = where.get("tolerations") or []
    field = "tolerations" if gates.since(37) else "tolerations.tolerations"
    yield from scheduling.tolerations(f"scheduling.{field}", tolerations)
    seen: list[JSON] = []
    for index, toleration in enumerate(tolerations):
        bare = {k: v for k, v in toleration.items() if k != "tolerationSeconds"}
        if bare in seen:
            shown = printed("core.Toleration", toleration)
            yield duplicate(f"scheduling.tolerations[{index}]", shown)
        seen.append(bare)


def runtime_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed RuntimeClass."""
    yield from runtime_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from immutable("handler", new.get("handler"), old.get("handler"))


def runtime_warnings(found: JSON) -> Iterator[str]:
    """What is deprecated in a RuntimeClass."""
    for key in sorted((found.get("scheduling") or {}).get("nodeSelector") or ()):
        if key in DEPRECATED_LABELS:
            yield f"scheduling.nodeSelector: {DEPRECATED_LABELS[key]}"
