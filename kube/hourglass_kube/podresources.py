"""What a pod asks a node for.

https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
"""

from collections.abc import Mapping
from typing import Any

from hourglass_kube import quantity

CPU = "cpu"
MEMORY = "memory"
_HUGE_PAGES = "hugepages-"


def amount(resource: str, text: str | int | float) -> int:
    """CPU in thousandths of a core, everything else in whole units."""
    return quantity.milli(text) if resource == CPU else quantity.whole(text)


def requests(pod_spec: Mapping[str, Any]) -> dict[str, int]:
    """Effective requests by resource, CPU in thousandths of a core.

    The larger of what the containers need together and what the largest init container needs, each
    with the sidecars (init containers that restart) started before it; CPU, memory and huge pages
    as requested for the whole pod where they are; plus the pod's overhead.
    """
    running: dict[str, int] = {}
    for container in pod_spec.get("containers") or ():
        _add(running, _requested(container.get("resources")))
    sidecars: dict[str, int] = {}
    largest: dict[str, int] = {}
    for container in pod_spec.get("initContainers") or ():
        own = _requested(container.get("resources"))
        if container.get("restartPolicy") == "Always":
            _add(running, own)
            _add(sidecars, own)
        else:
            _add(own, sidecars)
            _raise(largest, own)
    _raise(running, largest)
    of_pod = _requested(pod_spec.get("resources"))
    running.update({r: n for r, n in of_pod.items() if r.startswith((CPU, MEMORY, _HUGE_PAGES))})
    _add(running, _amounts(pod_spec.get("overhead")))
    return running


def allocatable(node_allocatable: Mapping[str, str]) -> dict[str, int]:
    """A node's allocatable resources in the units of `requests`."""
    return _amounts(node_allocatable)


def is_extended(resource: str) -> bool:
    """Whether a resource is a device plugin's or another's besides Kubernetes' own.

    https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#extended-resources
    """
    return "/" in resource and "kubernetes.io/" not in resource


def _requested(resources: Mapping[str, Any] | None) -> dict[str, int]:
    # A limit without a request is the request: the API server fills it in for real pods.
    resources = resources or {}
    return _amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _amounts(quantities: Mapping[str, str] | None) -> dict[str, int]:
    return {name: amount(name, text) for name, text in (quantities or {}).items()}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for resource, count in more.items():
        total[resource] = total.get(resource, 0) + count


def _raise(total: dict[str, int], minimum: Mapping[str, int]) -> None:
    for resource, count in minimum.items():
        total[resource] = max(total.get(resource, 0), count)
