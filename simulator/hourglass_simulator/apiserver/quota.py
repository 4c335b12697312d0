"""ResourceQuota for pods.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from collections.abc import Iterable
from decimal import Decimal

from hourglass_operator.kube import podresources, quantity
from hourglass_simulator.apiserver.quantities import canonical, formatted
from hourglass_simulator.apiserver.watch import JSON

_BARE = {"cpu": "requests.cpu", "memory": "requests.memory"}
_COUNTS = ("pods", "count/pods")
_MUST_BE_SAID = ("cpu", "memory")
_ENDED = ("Succeeded", "Failed")


def counts(pod: JSON) -> bool:
    """Whether a pod uses quota: it has not ended."""
    return pod["status"].get("phase") not in _ENDED


def refusal(quota: JSON, spec: JSON, running: Iterable[JSON]) -> str:
    """Why a pod would exceed a quota; empty when it fits. `running` are the specs of the others."""
    hard = {
        name: amount
        for name, amount in sorted(quota["spec"].get("hard", {}).items())
        if name in _COUNTS or _counted(name)
    }
    name_of_quota = quota["metadata"]["name"]
    if missing := [text for name in hard if (text := _missing(name, spec))]:
        return f"failed quota: {name_of_quota}: must specify {'; '.join(missing)}"
    used = {name: Decimal(0) for name in hard}
    for other in running:
        for name in hard:
            used[name] += _use(name, other)
    asked = {name: _use(name, spec) for name in hard}
    over = [n for n in hard if asked[n] and used[n] + asked[n] > quantity.parse(hard[n])]
    if not over:
        return ""
    texts = (
        "requested: " + ",".join(f"{name}={_shown(name, asked[name])}" for name in over),
        "used: " + ",".join(f"{name}={_shown(name, used[name])}" for name in over),
        "limited: " + ",".join(f"{name}={canonical(hard[name])}" for name in over),
    )
    return f"exceeded quota: {name_of_quota}, {', '.join(texts)}"


def _counted(name: str) -> tuple[str, str] | None:
    """(requests or limits, resource) that a quota entry counts."""
    kind, dot, resource = _BARE.get(name, name).partition(".")
    return (kind, resource) if dot and kind in ("requests", "limits") else None


def _use(name: str, spec: JSON) -> Decimal:
    counted = _counted(name)
    if counted is None:
        return Decimal(1)
    kind, resource = counted
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


def _missing(name: str, spec: JSON) -> str:
    """The containers that do not say what the quota needs to know, as the refusal lists them."""
    counted = _counted(name)
    if counted is None or counted[1] not in _MUST_BE_SAID:
        return ""
    kind, resource = counted
    silent = {
        container["name"]
        for field in ("containers", "initContainers")
        for container in spec.get(field) or ()
        if resource not in ((container.get("resources") or {}).get(kind) or {})
    }
    return f"{name} for: {','.join(sorted(silent))}" if silent else ""


def _shown(name: str, amount: Decimal) -> str:
    counted = _counted(name)
    return formatted(amount, binary=counted is not None and counted[1] == podresources.MEMORY)
