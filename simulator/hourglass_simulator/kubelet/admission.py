"""What a kubelet checks before it starts a pod, with the texts of its rejections.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/lifecycle/predicate.go
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hourglass_kube import affinity, podresources
from hourglass_kube.node import Taint, view
from hourglass_kube.toleration import NO_EXECUTE, tolerates, untolerated
from hourglass_kube.types import JSON

PODS = "pods"
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
_BASIC = (PODS, podresources.CPU, podresources.MEMORY, "ephemeral-storage")


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a pod is not run."""

    reason: str
    message: str


def no_device(resource: str, requested: int, available: int) -> Rejection:
    """A device plugin has too few healthy devices that are free."""
    return Rejection(
        "UnexpectedAdmissionError",
        f"Allocate failed due to requested number of devices unavailable for {resource}."
        f" Requested: {requested}, Available: {available}, which is unexpected",
    )


def rejection(
    pod: JSON, node: JSON, requested: Mapping[str, int], used: Mapping[str, int]
) -> Rejection | None:
    """Pressure, resources, node affinity, taints; `used` and `requested` count pods too."""
    if pressed := _pressed(pod, node):
        return Rejection("Evicted", f"The node had condition: [{pressed}]. ")
    capacity = podresources.allocatable((node.get("status") or {}).get("allocatable") or {})
    extended = sorted(name for name in requested if "/" in name and name in capacity)
    for name in (*_BASIC, *extended):
        asked, taken = requested.get(name, 0), used.get(name, 0)
        if asked and asked > capacity.get(name, 0) - taken:
            return Rejection(
                f"OutOf{name}",
                f"Node didn't have enough resource: {name}, requested: {asked}, used: {taken},"
                f" capacity: {capacity.get(name, 0)}",
            )
    seen = view(node)
    if not affinity.node_matches(pod["spec"], seen):
        return Rejection(
            "NodeAffinity",
            "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        )
    tolerations = pod["spec"].get("tolerations") or ()
    if untolerated(tolerations, seen.taints, (NO_EXECUTE,)):
        return Rejection(
            "TaintToleration",
            "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
        )
    if pod["spec"].get("initContainers"):
        return Rejection(
            "UnexpectedAdmissionError",
            "Init containers are not supported by the simulated kubelet",
        )
    return None


def _pressed(pod: JSON, node: JSON) -> str | None:
    """The pressure that keeps the pod off; that of memory concerns best-effort pods only.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/eviction/eviction_manager.go
    """
    conditions = (node.get("status") or {}).get("conditions") or ()
    true = {c["type"] for c in conditions if c["status"] == "True"}
    found = " ".join(kind for kind in _PRESSURES if kind in true)
    if found != "MemoryPressure":
        return found or None
    if pod["status"].get("qosClass") != "BestEffort":
        return None
    taint = Taint("node.kubernetes.io/memory-pressure", "", "NoSchedule")
    tolerations = pod["spec"].get("tolerations") or ()
    return None if any(tolerates(t, taint) for t in tolerations) else found
