"""Whether a pod fits a node, other pods elsewhere aside: filter plugins in their order.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/scheduler/framework/plugins
"""

from collections.abc import Collection, Iterable

from hourglass_kube import affinity, toleration
from hourglass_kube.node import NodeView, Taint
from hourglass_kube.types import JSON
from hourglass_simulator.scheduler import status
from hourglass_simulator.scheduler.extendedresources import IMPLICIT
from hourglass_simulator.scheduler.node import PODS, NodeInfo
from hourglass_simulator.scheduler.pod import HostPort, PodInfo
from hourglass_simulator.scheduler.status import Status

_CORDON = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


class Filters:
    """The filters of pods of one kind, compiled once for any number of nodes."""

    def __init__(self, pod: PodInfo, served: Collection[str] = ()) -> None:
        """`served`: extended resources of device classes; it may change."""
        self.permits = affinity.compile_pod(pod.spec)
        """Node selector and required node affinity."""
        self.names = _names(pod.spec)
        """The nodes that required node affinity names; None if any may do."""
        self._tolerations = pod.spec.get("tolerations") or []
        self._tolerates_cordon = any(toleration.tolerates(t, _CORDON) for t in self._tolerations)
        self._wanted = pod.spec.get("nodeName")
        self._requests = [(r, n) for r, n in pod.requests.items() if n > 0]
        self._served = served
        self._ports = pod.ports

    def filter(self, node: NodeInfo) -> Status | None:
        """What keeps the pod off the node."""
        view = node.view
        if self.names is not None and view.name not in self.names:
            return status.NOT_NAMED
        if view.unschedulable and not self._tolerates_cordon:
            return status.UNSCHEDULABLE
        if self._wanted and self._wanted != view.name:
            return status.WRONG_NODE
        if not self.tolerates(view):
            return status.TAINTED
        if not self.permits(view):
            return status.UNMATCHED
        if self._ports and self.clashes(node.ports):
            return status.PORTS
        return self._resources(node)

    def tolerates(self, view: NodeView) -> bool:
        """Whether no taint keeps the pod off."""
        return not view.taints or toleration.untolerated(self._tolerations, view.taints) is None

    def tolerates_cordon(self, view: NodeView) -> bool:
        """Whether the node is not cordoned, or the pod does not mind."""
        return self._tolerates_cordon or not view.unschedulable

    def clashes(self, ports: Iterable[HostPort]) -> bool:
        """Whether one of the ports is taken."""
        taken = list(ports)
        return any(own.clashes(other) for own in self._ports for other in taken)

    def fits_empty(self, node: NodeInfo) -> bool:
        """Whether the resources would suffice if no pod were there."""
        total = node.allocatable
        return total.get(PODS, 0) >= 1 and all(
            n <= total.get(r, 0) or self._elsewhere(r, node) for r, n in self._requests
        )

    def gains(self, before: NodeInfo, after: NodeInfo) -> bool:
        """Whether there is more of a resource that the pod asks for."""
        asked = (PODS, *(resource for resource, _ in self._requests))
        return any(
            after.allocatable.get(r, 0) > before.allocatable.get(r, 0) or self._elsewhere(r, after)
            for r in asked
        )

    def _resources(self, node: NodeInfo) -> Status | None:
        total, requested = node.allocatable, node.requested
        short = []
        resolvable = True
        if len(node.pods) >= total.get(PODS, 0):
            short.append("Too many pods")
        for resource, count in self._requests:
            there = total.get(resource, 0)
            if count > there - requested.get(resource, 0) and not self._elsewhere(resource, node):
                short.append(f"Insufficient {resource}")
                resolvable = resolvable and count <= there
        return status.insufficient(tuple(short), resolvable) if short else None

    @property
    def served(self) -> list[str]:
        """Extended resources that it asks for, and that device classes serve."""
        return [resource for resource, _ in self._requests if resource in self._served]

    def served_by(self, before: JSON | None, after: JSON) -> bool:
        """Whether a device class serves a resource that it did not serve before."""
        new = after["spec"].get("extendedResourceName")
        explicit = new and (before is None or before["spec"].get("extendedResourceName") != new)
        implicit = IMPLICIT + after["metadata"]["name"] if before is None else ""
        return (bool(explicit) and new in self.served) or implicit in self.served

    def _elsewhere(self, resource: str, node: NodeInfo) -> bool:
        """Whether DynamicResources serves a resource, which no device plugin of the node has."""
        return resource in self._served and not node.allocatable.get(resource)


def _names(spec: JSON) -> frozenset[str] | None:
    """Nodes named by `metadata.name In …` in every term; empty if the names contradict."""
    terms = affinity.required_terms(spec.get("affinity"))
    if not terms:
        return None
    found: frozenset[str] = frozenset()
    for term in terms:
        named = [
            frozenset(field.get("values") or ())
            for field in term.get("matchFields") or ()
            if field["key"] == "metadata.name" and field["operator"] == "In"
        ]
        if not named:
            return None
        found |= frozenset.intersection(*named)
    return found
