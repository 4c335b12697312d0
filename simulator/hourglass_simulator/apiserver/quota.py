"""ResourceQuota: numbers of objects, and what pods request.

Not counted: Services by their type, and what PersistentVolumeClaims request.
https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from collections.abc import Iterable
from decimal import Decimal

from hourglass_kube import podresources, quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.quantities import canonical, formatted
from hourglass_simulator.apiserver.resources import Resource

_BARE = {"cpu": "requests.cpu", "memory": "requests.memory"}
_COUNTED_BY_NAME = (
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
)
_MUST_BE_SAID = ("cpu", "memory")
_ENDED = ("Succeeded", "Failed")


def refusal(quota: JSON, resource: Resource, obj: JSON, others: Iterable[JSON]) -> str:
    """Why an object would exceed a quota beside the `others` of its resource; empty if it fits."""
    hard = {
        name: amount
        for name, amount in sorted(quota["spec"].get("hard", {}).items())
        if _concerns(name, resource)
    }
    name_of_quota = quota["metadata"]["name"]
    if missing := [text for name in hard if (text := _missing(name, obj))]:
        return f"failed quota: {name_of_quota}: must specify {'; '.join(missing)}"
    used = {name: Decimal(0) for name in hard}
    for other in others if hard else ():
        for name in hard:
            used[name] += _use(name, other)
    asked = {name: _use(name, obj) for name in hard}
    over = [n for n in hard if asked[n] and used[n] + asked[n] > quantity.parse(hard[n])]
    if not over:
        return ""
    texts = (
        "requested: " + ",".join(f"{name}={_shown(name, asked[name])}" for name in over),
        "used: " + ",".join(f"{name}={_shown(name, used[name])}" for name in over),
        "limited: " + ",".join(f"{name}={canonical(hard[name])}" for name in over),
    )
    return f"exceeded quota: {name_of_quota}, {', '.join(texts)}"


def _concerns(name: str, resource: Resource) -> bool:
    if name == f"count/{resource.qualified}":
        return True
    if name in _COUNTED_BY_NAME:
        return name == resource.qualified
    return resource.qualified == "pods" and _counted(name) is not None


def _counted(name: str) -> tuple[str, str] | None:
    """(requests or limits, resource) that a quota entry counts."""
    kind, dot, resource = _BARE.get(name, name).partition(".")
    return (kind, resource) if dot and kind in ("requests", "limits") else None


def _use(name: str, obj: JSON) -> Decimal:
    # https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/quota/v1/evaluator/core/pods.go
    if not name.startswith("count/") and (obj.get("status") or {}).get("phase") in _ENDED:
        return Decimal(0)
    counted = _counted(name)
    if counted is None:
        return Decimal(1)
    spec, (kind, resource) = obj["spec"], counted
    amount = podresources.requests(spec if kind == "requests" else _limits(spec)).get(resource, 0)
    return Decimal(amount) / 1000 if resource == podresources.CPU else Decimal(amount)


def _limits(spec: JSON) -> JSON:
    """The spec with every container's limits in the place of its requests."""
    fields = {
        field: [
            {**c, "resources": {"requests": (c.get("resources") or {}).get("limits") or {}}}
            for c in spec.get(field) or ()
        ]
        for field in ("containers", "initContainers")
    }
    return {**spec, **fields}


def _missing(name: str, pod: JSON) -> str:
    """The containers that do not say what the quota needs to know, as the refusal lists them."""
    counted = _counted(name)
    if counted is None or counted[1] not in _MUST_BE_SAID:
        return ""
    kind, resource = counted
    silent = {
        container["name"]
        for field in ("containers", "initContainers")
        for container in pod["spec"].get(field) or ()
        if resource not in ((container.get("resources") or {}).get(kind) or {})
    }
    return f"{name} for: {','.join(sorted(silent))}" if silent else ""


def _shown(name: str, amount: Decimal) -> str:
    counted = _counted(name)
    return formatted(amount, binary=counted is not None and counted[1] == podresources.MEMORY)
