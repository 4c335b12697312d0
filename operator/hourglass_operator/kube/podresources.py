"""What a pod asks a node for.

https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hourglass_operator.kube import quantity

CPU = "cpu"
MEMORY = "memory"


def amount(resource: str, text: str | int | float) -> int:
    """CPU in thousandths of a core, everything else in whole units."""
    return quantity.milli(text) if resource == CPU else quantity.whole(text)


def requests(pod_spec: Mapping[str, Any]) -> dict[str, int]:
    """Effective requests by resource, CPU in thousandths of a core.

    The larger of what the containers need together and what the largest init container needs, each
    with the sidecars (init containers that restart) started before it, plus the pod overhead.
    """
    running: dict[str, int] = {}
    for container in pod_spec.get("containers") or ():
        _add(running, _container(container))
    sidecars: dict[str, int] = {}
    largest: dict[str, int] = {}
    for container in pod_spec.get("initContainers") or ():
        own = _container(container)
        if container.get("restartPolicy") == "Always":
            _add(running, own)
            _add(sidecars, own)
            own = sidecars
        else:
            _add(own, sidecars)
        for resource, count in own.items():
            largest[resource] = max(largest.get(resource, 0), count)
    total = {r: max(running.get(r, 0), largest.get(r, 0)) for r in _keys(running, largest)}
    _add(total, _amounts(pod_spec.get("overhead")))
    return total


def allocatable(node_allocatable: Mapping[str, str]) -> dict[str, int]:
    """A node's allocatable resources in the units of `requests`."""
    return _amounts(node_allocatable)


def _container(container: Mapping[str, Any]) -> dict[str, int]:
    resources = container.get("resources") or {}
    # A limit without a request is the request: the API server fills it in for real pods.
    limits, asked = resources.get("limits") or {}, resources.get("requests") or {}
    return _amounts({**limits, **asked})


def _amounts(quantities: Mapping[str, str] | None) -> dict[str, int]:
    return {name: amount(name, text) for name, text in (quantities or {}).items()}


def _keys(*maps: Mapping[str, int]) -> Iterable[str]:
    return dict.fromkeys(key for m in maps for key in m)


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for resource, count in more.items():
        total[resource] = total.get(resource, 0) + count
