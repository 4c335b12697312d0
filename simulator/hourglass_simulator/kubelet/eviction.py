"""Eviction of a pod because its node runs low on something.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/eviction/helpers.go
"""

from collections.abc import Iterable, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.container import Container

REASON = "Evicted"

# Hard eviction thresholds of the kubelet's defaults, and what is left when they are met.
_THRESHOLDS = {"memory": ("100Mi", "97640Ki"), "ephemeral-storage": ("10%", "9%")}
_USAGE = {"memory": "2097152Ki", "ephemeral-storage": "4194304Ki"}


def message(resource: str, containers: Iterable[Container]) -> str:
    """What the eviction manager says of a pod that it evicts for the sake of `resource`."""
    threshold, available = _THRESHOLDS[resource]
    text = (
        f"The node was low on resource: {resource}. "
        f"Threshold quantity: {threshold}, available: {available}. "
    )
    for container in containers:
        requests = (container.spec.get("resources") or {}).get("requests") or {}
        text += (
            f"Container {container.name} was using {_USAGE[resource]}, request is"
            f" {requests.get(resource, '0')}, has larger consumption of {resource}. "
        )
    return text


def with_disruption(
    conditions: Sequence[JSON], message: str, generation: int, now: str
) -> list[JSON]:
    """Conditions of a pod that its kubelet has ended: they say so."""
    if any(condition["type"] == "DisruptionTarget" for condition in conditions):
        return list(conditions)
    condition = {
        "type": "DisruptionTarget",
        "observedGeneration": generation,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now,
        "reason": "TerminationByKubelet",
        "message": message,
    }
    return [condition, *conditions]
