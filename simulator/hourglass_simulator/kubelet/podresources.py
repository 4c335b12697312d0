"""What a pod as a whole requests and may use, as its status says it.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/kubelet_pods.go#L2188
"""

from collections.abc import Mapping

from hourglass_kube import podresources, quantity
from hourglass_kube.types import JSON


def requests(spec: JSON) -> dict[str, str]:
    """The effective requests of a pod, as quantities."""
    return _quantities(spec, "requests", podresources.requests(spec))


def limits(spec: JSON) -> dict[str, str]:
    """The effective limits of a pod, as quantities."""
    return _quantities(spec, "limits", podresources.limits(spec))


def of_pod(spec: JSON) -> JSON:
    """The requirements of the pod as a whole; empty if nothing is asked for."""
    found = {"limits": limits(spec), "requests": requests(spec)}
    return {key: amounts for key, amounts in found.items() if amounts}


def _quantities(spec: JSON, field: str, amounts: Mapping[str, int]) -> dict[str, str]:
    written = _written(spec, field)
    return {
        resource: _quantity(resource, amount, written.get(resource, []))
        for resource, amount in sorted(amounts.items())
    }


def _written(spec: JSON, field: str) -> dict[str, list[str]]:
    """Every amount of each resource, as the spec writes it."""
    found: dict[str, list[str]] = {}
    for one in (spec, *spec["containers"], *(spec.get("initContainers") or ())):
        for resource, text in ((one.get("resources") or {}).get(field) or {}).items():
            found.setdefault(resource, []).append(str(text))
    return found


def _quantity(resource: str, amount: int, written: list[str]) -> str:
    """An amount in the format of those that it was counted from."""
    for text in written:
        if podresources.amount(resource, text) == amount:
            return text
    if resource == podresources.CPU:
        return str(amount // 1000) if amount % 1000 == 0 else f"{amount}m"
    return quantity.in_words(amount) if any("i" in text for text in written) else str(amount)
