"""How much of a device that several may share a request takes: consumable capacity.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/dynamic-resource-allocation/structured/internal/incubating/consumable_capacity.go
"""

from collections.abc import Mapping
from decimal import Decimal

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.quantities import formatted

Amounts = Mapping[str, Decimal]
"""By the name of a capacity."""
_MOST = 2**63 - 1


class CapacityError(Exception):
    """A request that no amount can stand for."""


def consumed(request: JSON, device: JSON) -> dict[str, str]:
    """What a request takes of each capacity of a device; raises CapacityError."""
    asked = (request.get("capacity") or {}).get("requests") or {}
    return {
        name: _taken(name, asked.get(name), one)
        for name, one in sorted((device.get("capacity") or {}).items())
    }


def suffices(request: JSON, device: JSON, held: Amounts) -> bool:
    """Whether a device has what a request takes, beside what others hold of it.

    Raises CapacityError.
    """
    capacity = device.get("capacity") or {}
    asked = (request.get("capacity") or {}).get("requests") or {}
    if any(name not in capacity for name in asked):
        return False
    return all(
        _allowed(taken, capacity[name].get("requestPolicy") or {})
        and held.get(name, Decimal(0)) + quantity.parse(taken)
        <= quantity.parse(capacity[name]["value"])
        for name, taken in consumed(request, device).items()
    )


def _taken(name: str, asked: str | None, capacity: JSON) -> str:
    policy = capacity.get("requestPolicy") or {}
    if asked is None:
        return str(policy.get("default") or capacity["value"])
    limits = policy.get("validRange") or {}
    if limits.get("min") is not None:
        return _rounded(name, asked, limits)
    for value in policy.get("validValues") or ():
        if quantity.parse(asked) <= quantity.parse(value):
            return str(value)
    return asked


def _rounded(name: str, asked: str, limits: JSON) -> str:
    """Up to the next step from the least."""
    wanted, least = quantity.parse(asked), quantity.parse(limits["min"])
    if wanted <= least:
        return str(limits["min"])
    if limits.get("step") is None:
        return asked
    step = quantity.parse(limits["step"])
    over = wanted - least
    rounded = least + step * (over // step + (1 if over % step else 0))
    if rounded > _MOST:
        raise CapacityError(
            f'capacity "{name}": capacity request cannot be represented in the device\'s range '
            f"arithmetic: rounding request {asked} up to the next step passes MaxInt64"
        )
    return formatted(rounded, binary=str(limits["step"]).endswith("i"))


def _allowed(taken: str, policy: JSON) -> bool:
    value = quantity.parse(taken)
    if policy.get("default") is not None and value == quantity.parse(policy["default"]):
        return True
    limits = policy.get("validRange")
    if limits:
        if limits.get("max") is not None and value > quantity.parse(limits["max"]):
            return False
        return limits.get("step") is None or (
            (value - quantity.parse(limits["min"])) % quantity.parse(limits["step"]) == 0
        )
    values = policy.get("validValues")
    return not values or any(value == quantity.parse(one) for one in values)
