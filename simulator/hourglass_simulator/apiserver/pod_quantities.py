"""What a pod asks for, by resource, as quantities that keep their form.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/component-helpers/resource/helpers.go
"""

from collections.abc import Mapping
from typing import Any

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.quantities import canonical, formatted

_OF_PODS = ("cpu", "memory", "hugepages-")
"""What can be requested for a pod as a whole begins so."""


def total(one: Any, other: Any) -> str:
    """The sum of two quantities in the form of the first that is not zero."""
    left, right = quantity.parse(one), quantity.parse(other)
    form = str(one) if left else str(other)
    return formatted(left + right, binary=form.endswith("i"))


def difference(one: Any, other: Any) -> str:
    """One quantity without another, never less than nothing."""
    left, right = quantity.parse(one), quantity.parse(other)
    return formatted(max(left - right, left * 0), binary=str(one).endswith("i"))


def of_pod(spec: JSON, kind: str, *, overhead: bool = False) -> dict[str, str]:
    """The requests or limits of a pod.

    The larger of what the containers need together and what the largest init container needs, each
    with the sidecars started before it; what is named for the whole pod in its place; and its
    overhead if asked for, of limits only where there is one.
    """
    found: dict[str, str] = {}
    for container in spec.get("containers") or ():
        _add(found, _of(container, kind))
    sidecars: dict[str, str] = {}
    largest: dict[str, str] = {}
    for container in spec.get("initContainers") or ():
        own = dict(_of(container, kind))
        if container.get("restartPolicy") == "Always":
            _add(found, own)
            _add(sidecars, own)
            own = sidecars
        else:
            _add(own, sidecars)
        _raise(largest, own)
    _raise(found, largest)
    whole = (spec.get("resources") or {}).get(kind) or {}
    found |= {name: canonical(v) for name, v in whole.items() if name.startswith(_OF_PODS)}
    for name, amount in ((spec.get("overhead") or {}) if overhead else {}).items():
        if kind == "requests" or name in found:
            found[name] = total(found.get(name, "0"), amount)
    return found


def _of(container: JSON, kind: str) -> Mapping[str, str]:
    amounts = (container.get("resources") or {}).get(kind) or {}
    return {name: canonical(amount) for name, amount in amounts.items()}


def _add(amounts: dict[str, str], more: Mapping[str, str]) -> None:
    for name, amount in more.items():
        amounts[name] = total(amounts[name], amount) if name in amounts else amount


def _raise(amounts: dict[str, str], others: Mapping[str, str]) -> None:
    for name, amount in others.items():
        if name not in amounts or quantity.parse(amount) > quantity.parse(amounts[name]):
            amounts[name] = amount
