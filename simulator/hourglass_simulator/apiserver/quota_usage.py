"""What an object uses of quotas, and which quotas concern it.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/quota/v1/evaluator/core
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hourglass_kube import quantity, selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.pod_quantities import of_pod, total
from hourglass_simulator.apiserver.quantities import canonical
from hourglass_simulator.apiserver.resources import Resource

Usage = dict[str, str]
"""Quantities by the name that a quota's `hard` has."""

_COUNTED_BY_NAME = ("configmaps", "replicationcontrollers", "resourcequotas", "secrets")
_OF_PODS = (
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "pods",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_MUST_BE_SAID = frozenset(
    ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
)
_OF_SERVICES = ("services", "services.loadbalancers", "services.nodeports")
_BY_CLASS = ".storageclass.storage.k8s.io/"
_OF_CLAIMS = ("persistentvolumeclaims", "requests.storage")
_BY_DEVICE_CLASS = ".deviceclass.resource.k8s.io/devices"
_MOST_DEVICES = 32
"""What a request for all devices of a class counts as."""
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Evaluator:
    """How the objects of a resource are counted."""

    concerns: Callable[[str], bool]
    """Whether an entry of `hard` counts such objects."""
    usage: Callable[[JSON], Usage]
    in_scope: Callable[[JSON, JSON], bool]
    """Whether an object is in a scope (scopeName, operator, values)."""
    updates: bool = False
    """Updates count too."""


def evaluator(resource: Resource) -> Evaluator:
    """The evaluator of a resource."""
    peculiar = _PECULIAR.get((resource.group, resource.plural))
    if peculiar is not None:
        return peculiar
    names = [f"count/{resource.qualified}"]
    if not resource.group and resource.plural in _COUNTED_BY_NAME:
        names.append(resource.plural)
    return Evaluator(lambda name: name in names, lambda _: dict.fromkeys(names, "1"), _no_scope)


def scopes(quota: JSON) -> Iterator[JSON]:
    """The scopes of a quota, all of which an object must be in."""
    spec = quota["spec"]
    for name in spec.get("scopes") or ():
        yield {"scopeName": name, "operator": "Exists"}
    yield from (spec.get("scopeSelector") or {}).get("matchExpressions") or ()


def used(quota: JSON, objects: Callable[[str], Iterable[tuple[Resource, JSON]]]) -> Usage:
    """What the objects of the quota's namespace use; `objects` are those that an entry counts."""
    hard = quota["spec"].get("hard") or {}
    found = dict.fromkeys(sorted(hard), "0")
    wanted = list(scopes(quota))
    for name in found:
        for resource, obj in objects(name):
            own = evaluator(resource)
            if all(own.in_scope(scope, obj) for scope in wanted):
                found[name] = total(found[name], own.usage(obj).get(name, "0"))
    return found


def missing(names: Sequence[str], pod: JSON) -> str:
    """What containers must say because it is counted, as the refusal lists it."""
    spec = pod["spec"]
    if any((spec.get("resources") or {}).get(kind) for kind in ("requests", "limits")):
        return ""
    silent: dict[str, list[str]] = {}
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            resources = container.get("resources") or {}
            said = _of_resources(resources.get("requests") or {}, resources.get("limits") or {})
            for name in _MUST_BE_SAID.intersection(names).difference(said):
                silent.setdefault(name, []).append(container["name"])
    return "; ".join(
        f"{name} for: {','.join(sorted(set(silent[name])))}" for name in sorted(silent)
    )


# Pods


def _pods(name: str) -> bool:
    if name == "count/pods" or name in _OF_PODS:
        return True
    if name.startswith(("hugepages-", "requests.hugepages-")):
        return True
    own = name.removeprefix("requests.")
    return own != name and "/" in own and "kubernetes.io/" not in own


def _pod(pod: JSON) -> Usage:
    result = {"count/pods": "1"}
    if (pod.get("status") or {}).get("phase") in _ENDED:
        return result
    spec = pod["spec"]
    requests = of_pod(spec, "requests", overhead=True)
    limits = of_pod(spec, "limits", overhead=True)
    return {**result, "pods": "1", **_of_resources(requests, limits)}


def _of_resources(requests: Mapping[str, Any], limits: Mapping[str, Any]) -> Usage:
    result = {}
    for name, amount in requests.items():
        if name in ("cpu", "memory", "ephemeral-storage") or name.startswith("hugepages-"):
            result[name] = result[f"requests.{name}"] = canonical(amount)
        elif "/" in name and "kubernetes.io/" not in name:
            result[f"requests.{name}"] = canonical(amount)
    for name in ("cpu", "memory", "ephemeral-storage"):
        if name in limits:
            result[f"limits.{name}"] = canonical(limits[name])
    return result


def _pod_in_scope(scope: JSON, pod: JSON) -> bool:
    spec, name = pod["spec"], scope["scopeName"]
    if name in ("Terminating", "NotTerminating"):
        return is_terminating(pod) is (name == "Terminating")
    if name in ("BestEffort", "NotBestEffort"):
        return _best_effort(spec) is (name == "BestEffort")
    if name == "PriorityClass":
        return _selected(scope, spec.get("priorityClassName"))
    return name == "CrossNamespacePodAffinity" and _crosses_namespaces(spec)


def is_terminating(pod: JSON) -> bool:
    """It ends by itself after some time."""
    deadline = pod["spec"].get("activeDeadlineSeconds")
    return deadline is not None and deadline >= 0


def _best_effort(spec: JSON) -> bool:
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ()), spec]
    resources = [each.get("resources") or {} for each in containers]
    return not any(
        name in ("cpu", "memory") and quantity.parse(amount)
        for each in resources
        for kind in ("requests", "limits")
        for name, amount in (each.get(kind) or {}).items()
    )


def _selected(scope: JSON, value: str | None) -> bool:
    if scope.get("operator") == "Exists":
        return bool(value)
    expression = {**scope, "key": scope["scopeName"]}
    labels = {scope["scopeName"]: value} if value else {}
    return selector.matches({"matchExpressions": [expression]}, labels)


def _crosses_namespaces(spec: JSON) -> bool:
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        own = affinity.get(kind) or {}
        terms = list(own.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        weighted = own.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [each["podAffinityTerm"] for each in weighted]
        if any(t.get("namespaces") or t.get("namespaceSelector") is not None for t in terms):
            return True
    return False


# PersistentVolumeClaims, Services, ResourceClaims


def _claims(name: str) -> bool:
    known = (*_OF_CLAIMS, "count/persistentvolumeclaims")
    return name in known or any(name.endswith(f"{_BY_CLASS}{each}") for each in _OF_CLAIMS)


def _claim(claim: JSON) -> Usage:
    result = {"persistentvolumeclaims": "1", "count/persistentvolumeclaims": "1"}
    notes = claim["metadata"].get("annotations") or {}
    of_class = claim["spec"].get("storageClassName") or ""
    of_class = notes.get("volume.beta.kubernetes.io/storage-class", of_class)
    if of_class:
        result[f"{of_class}{_BY_CLASS}persistentvolumeclaims"] = "1"
    storage = ((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage")
    if storage is not None:
        allocated = ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage", 0)
        if quantity.parse(allocated) > quantity.parse(storage):
            storage = allocated
        result["requests.storage"] = canonical(storage)
        if of_class:
            result[f"{of_class}{_BY_CLASS}requests.storage"] = canonical(storage)
    return result


def _claim_in_scope(scope: JSON, claim: JSON) -> bool:
    if scope["scopeName"] != "VolumeAttributesClass":
        return False
    status = claim.get("status") or {}
    names = (
        claim["spec"].get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    found = [name for name in names if name]
    return any(_selected(scope, name) for name in found or [None])


def _services(name: str) -> bool:
    return name in (*_OF_SERVICES, "count/services")


def _service(service: JSON) -> Usage:
    spec = service["spec"]
    ports, kind = spec.get("ports") or (), spec.get("type")
    count, balanced = 0, int(kind == "LoadBalancer")
    if kind == "NodePort" or (balanced and spec.get("allocateLoadBalancerNodePorts") is not False):
        count = len(ports)
    elif balanced:
        count = sum(1 for port in ports if port.get("nodePort"))
    return {
        "services": "1",
        "count/services": "1",
        "services.nodeports": str(count),
        "services.loadbalancers": str(balanced),
    }


def _resource_claims(name: str) -> bool:
    return name == "count/resourceclaims.resource.k8s.io" or name.endswith(_BY_DEVICE_CLASS)


def _resource_claim(claim: JSON) -> Usage:
    result = {"count/resourceclaims.resource.k8s.io": "1"}
    devices = claim["spec"].get("devices") or {}
    for request in devices.get("requests") or ():
        largest: dict[str, int] = {}
        for each in request.get("firstAvailable") or filter(None, [request.get("exactly")]):
            name = f"{each.get('deviceClassName', '')}{_BY_DEVICE_CLASS}"
            every = each.get("allocationMode") == "All"
            count = _MOST_DEVICES if every else each.get("count", 0)
            largest[name] = max(largest.get(name, 0), count)
        for name, count in largest.items():
            result[name] = total(result.get(name, "0"), count)
    return result


def _no_scope(_: JSON, __: JSON) -> bool:
    return False


_PECULIAR: Mapping[tuple[str, str], Evaluator] = {
    ("", "pods"): Evaluator(_pods, _pod, _pod_in_scope, updates=True),
    ("", "persistentvolumeclaims"): Evaluator(_claims, _claim, _claim_in_scope, updates=True),
    ("", "services"): Evaluator(_services, _service, _no_scope, updates=True),
    ("resource.k8s.io", "resourceclaims"): Evaluator(
        _resource_claims, _resource_claim, _no_scope, updates=True
    ),
}
