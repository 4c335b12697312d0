"""ResourceQuota for pods.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from collections.abc import Iterable
from decimal import Decimal

from hourglass_operator.kube import podresources, quantity
from hourglass_simulator.apiserver.watch import JSON

_BARE = {"cpu": "requests.cpu", "memory": "requests.memory"}
_COUNT = ("pods", "count/pods")


def counts(pod: JSON) -> bool:
    """Whether a pod uses quota: it has not ended."""
    return pod["status"].get("phase") not in ("Succeeded", "Failed")


def refusal(entry: JSON, spec: JSON, running: Iterable[JSON]) -> str:
    """Why a pod would exceed the quota; empty when it fits."""
    hard = {
        name: amount
        for name, amount in entry["spec"].get("hard", {}).items()
        if name in _COUNT or _requested(name)
    }
    if not hard:
        return ""
    quota_name = entry["metadata"]["name"]
    asked = {name: _use(name, spec) for name in hard}
    missing = sorted(name for name in hard if name not in _COUNT and not _states(name, spec))
    if missing:
        return f"failed quota: {quota_name}: must specify " + _missing(missing, spec)
    used = {name: sum((_use(name, other) for other in running), Decimal(0)) for name in hard}
    over = sorted(
        name
        for name in hard
        if asked[name] and used[name] + asked[name] > quantity.parse(hard[name])
    )
    if not over:
        return ""
    return (
        f"exceeded quota: {quota_name}, requested: "
        + ",".join(f"{name}={_shown(name, asked[name])}" for name in over)
        + ", used: "
        + ",".join(f"{name}={_shown(name, used[name])}" for name in over)
        + ", limited: "
        + ",".join(f"{name}={hard[name]}" for name in over)
    )


def _requested(name: str) -> str:
    """The resource whose requests a quota entry counts; empty when it counts something else."""
    full = _BARE.get(name, name)
    return full.removeprefix("requests.") if full.startswith("requests.") else ""


def _use(name: str, spec: JSON) -> Decimal:
    if name in _COUNT:
        return Decimal(1)
    resource = _requested(name)
    amount = podresources.requests(spec).get(resource, 0)
    return Decimal(amount) / 1000 if resource == podresources.CPU else Decimal(amount)


def _states(name: str, spec: JSON) -> bool:
    resource = _requested(name)
    if resource not in ("cpu", "memory"):
        return True
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return all(
        resource in ((container.get("resources") or {}).get("requests") or {})
        for container in containers
    )


def _missing(names: list[str], spec: JSON) -> str:
    containers = ",".join(container["name"] for container in spec.get("containers") or ())
    return "; ".join(f"{name} for: {containers}" for name in names)


def _shown(name: str, amount: Decimal) -> str:
    if _requested(name) == "memory":
        whole = int(amount)
        for unit, size in (("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
            if whole and whole % size == 0:
                return f"{whole // size}{unit}"
        return str(whole)
    if amount == amount.to_integral_value():
        return str(int(amount))
    return f"{int(amount * 1000)}m"
