"""Eviction of a pod because its node runs low on something.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/eviction/helpers.go
"""

from collections.abc import Iterable, Sequence

from hourglass_kube import podresources, quantity
from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.pod import NodePod

REASON = "Evicted"
CRITICAL_PRIORITY = 2_000_000_000
"""From this priority on a pod is critical to its node."""

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
        requested = str(requests.get(resource, "0"))
        memory = container.workload.memory if resource == "memory" else 0
        used = f"{memory // 1024}Ki" if memory else _USAGE[resource]
        if quantity.whole(used) > quantity.whole(requested):
            text += (
                f"Container {container.name} was using {used}, request is {requested},"
                f" has larger consumption of {resource}. "
            )
    return text


def usage(pod: NodePod) -> int:
    """The memory that the containers of a pod use, as far as their images say it, in bytes."""
    return sum(each.workload.memory for each in pod.all_containers if each.running)


def ranked(pods: Iterable[NodePod]) -> list[NodePod]:
    """In which order pods are evicted for memory; those critical to their node are not.

    First those that use more than they request; then by priority, and by what they use beyond.
    """

    def rank(pod: NodePod) -> tuple[bool, int, int]:
        beyond = usage(pod) - podresources.requests(pod.object["spec"]).get("memory", 0)
        return beyond <= 0, priority(pod.object), -beyond

    return sorted((pod for pod in pods if priority(pod.object) < CRITICAL_PRIORITY), key=rank)


def priority(pod: JSON) -> int:
    """The value of its PriorityClass."""
    found: int = pod["spec"].get("priority") or 0
    return found


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
