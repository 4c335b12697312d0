"""What a pod asks a node for.

https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
"""

from collections.abc import Mapping
from typing import Any, Protocol

from hourglass_kube import quantity

CPU = "cpu"
MEMORY = "memory"
_HUGE_PAGES = "hugepages-"


def amount(resource: str, text: str | int | float) -> int:
    """CPU in thousandths of a core, everything else in whole units."""
    return quantity.milli(text) if resource == CPU else quantity.whole(text)


def requests(
    pod_spec: Mapping[str, Any],
    status: Mapping[str, Any] | None = None,
    missing: Mapping[str, int] | None = None,
    *,
    whole_pod: bool = True,
) -> dict[str, int]:
    """Effective requests by resource, CPU in thousandths of a core.

    The larger of what the containers need together and what the largest init container needs, each
    with the sidecars (init containers that restart) started before it; CPU, memory and huge pages
    as requested for the whole pod where they are; plus the pod's overhead.

    `status` is the pod's: while a container is resized, the larger of what it has and what it is
    to have counts. `missing` is counted for containers that request nothing of those resources.
    Without `whole_pod`, what is requested for the pod as a whole does not count.
    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/component-helpers/resource/helpers.go
    """
    resized = _resized(status)

    def of(container: Mapping[str, Any], *, running: bool) -> dict[str, int]:
        own = _requested(container.get("resources"))
        if running and resized and container["name"] in resized:
            infeasible, held = resized[container["name"]]
            own = dict(held) if infeasible else own
            _raise(own, held)
        return {**missing, **own} if missing else own

    return _effective(pod_spec, of, requests_of_the_pod(pod_spec) if whole_pod else {})


def limits(pod_spec: Mapping[str, Any]) -> dict[str, int]:
    """Effective limits, counted like `requests`."""

    def of(container: Mapping[str, Any], *, running: bool) -> dict[str, int]:  # noqa: ARG001
        return _limited(container.get("resources"))

    return _effective(pod_spec, of, _of_pod(_limited(pod_spec.get("resources"))))


class _OfContainer(Protocol):
    """The amounts of a container; `running` if it runs beside the others."""

    def __call__(self, container: Mapping[str, Any], *, running: bool) -> dict[str, int]: ...


def _effective(
    pod_spec: Mapping[str, Any], of: _OfContainer, of_pod: Mapping[str, int]
) -> dict[str, int]:
    together: dict[str, int] = {}
    for container in pod_spec.get("containers") or ():
        _add(together, of(container, running=True))
    sidecars: dict[str, int] = {}
    largest: dict[str, int] = {}
    for container in pod_spec.get("initContainers") or ():
        sidecar = container.get("restartPolicy") == "Always"
        own = of(container, running=sidecar)
        if sidecar:
            _add(together, own)
            _add(sidecars, own)
        else:
            _add(own, sidecars)
            _raise(largest, own)
    _raise(together, largest)
    together.update(of_pod)
    _add(together, _amounts(pod_spec.get("overhead")))
    return together


def requests_of_the_pod(pod_spec: Mapping[str, Any]) -> dict[str, int]:
    """What is requested for the pod as a whole: CPU, memory and huge pages."""
    return _of_pod(_requested(pod_spec.get("resources")))


def _of_pod(amounts: Mapping[str, int]) -> dict[str, int]:
    return {r: n for r, n in amounts.items() if r in (CPU, MEMORY) or r.startswith(_HUGE_PAGES)}


def allocatable(node_allocatable: Mapping[str, str]) -> dict[str, int]:
    """A node's allocatable resources in the units of `requests`."""
    return _amounts(node_allocatable)


def is_extended(resource: str) -> bool:
    """Whether a resource is a device plugin's or another's besides Kubernetes' own.

    https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#extended-resources
    """
    return "/" in resource and "kubernetes.io/" not in resource


def _resized(status: Mapping[str, Any] | None) -> dict[str, tuple[bool, dict[str, int]]]:
    """By container: whether its resize is infeasible, and the most of what it has been given."""
    found: dict[str, tuple[bool, dict[str, int]]] = {}
    if not status:
        return found
    for key in ("containerStatuses", "initContainerStatuses"):
        for one in status.get(key) or ():
            resources = one.get("resources")
            if resources is not None:
                held = _amounts(resources.get("requests"))
                _raise(held, _amounts(one.get("allocatedResources")))
                found[one["name"]] = (_infeasible(status), held)
    return found


def _infeasible(status: Mapping[str, Any]) -> bool:
    reasons = [
        c.get("reason") for c in status.get("conditions") or () if c["type"] == "PodResizePending"
    ]
    return bool(reasons) and reasons[0] == "Infeasible"


def _requested(resources: Mapping[str, Any] | None) -> dict[str, int]:
    # A limit without a request is the request: the API server fills it in for real pods.
    resources = resources or {}
    return _amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _limited(resources: Mapping[str, Any] | None) -> dict[str, int]:
    return _amounts((resources or {}).get("limits"))


def _amounts(quantities: Mapping[str, str] | None) -> dict[str, int]:
    return {name: amount(name, text) for name, text in (quantities or {}).items()}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for resource, count in more.items():
        total[resource] = total.get(resource, 0) + count


def _raise(total: dict[str, int], minimum: Mapping[str, int]) -> None:
    for resource, count in minimum.items():
        total[resource] = max(total.get(resource, 0), count)
