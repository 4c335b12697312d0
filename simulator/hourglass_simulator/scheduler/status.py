"""What filter plugins find: kube-scheduler's Status, and its NodeToStatus.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/kube-scheduler/framework/interface.go
"""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True, eq=False)
class Status:
    """Why a filter plugin rejects a node.

    `resolvable` is True for Unschedulable: removing pods from the node might help. It is False for
    UnschedulableAndUnresolvable.
    """

    plugin: str
    reasons: tuple[str, ...]
    resolvable: bool


class NodeToStatus:
    """The status of each node that was rejected, and how many nodes share each status."""

    def __init__(self) -> None:
        self.by_node: dict[str, Status] = {}
        self.counts: dict[Status, int] = {}

    def __len__(self) -> int:
        return len(self.by_node)

    def set(self, node: str, status: Status | None) -> None:
        """Set the status of a node; None if it is not rejected."""
        before = self.by_node.pop(node, None)
        if before is not None:
            self.counts[before] -= 1
            if not self.counts[before]:
                del self.counts[before]
        if status is not None:
            self.by_node[node] = status
            self.counts[status] = self.counts.get(status, 0) + 1

    def clear(self) -> None:
        """No nodes."""
        self.by_node.clear()
        self.counts.clear()

    def copy(self) -> "NodeToStatus":
        """The same to add to."""
        other = NodeToStatus()
        other.by_node, other.counts = dict(self.by_node), dict(self.counts)
        return other

    @property
    def resolvable(self) -> int:
        """On how many nodes removing pods might help."""
        return sum(count for status, count in self.counts.items() if status.resolvable)


NODE_UNSCHEDULABLE = "NodeUnschedulable"
NODE_NAME = "NodeName"
TAINT_TOLERATION = "TaintToleration"
NODE_AFFINITY = "NodeAffinity"
NODE_PORTS = "NodePorts"
NODE_RESOURCES_FIT = "NodeResourcesFit"
POD_TOPOLOGY_SPREAD = "PodTopologySpread"
INTER_POD_AFFINITY = "InterPodAffinity"


def _status(plugin: str, reason: str, *, resolvable: bool) -> Status:
    return Status(plugin, (reason,), resolvable)


_SPREAD = "node(s) didn't match pod topology spread constraints"

UNSCHEDULABLE = _status(NODE_UNSCHEDULABLE, "node(s) were unschedulable", resolvable=False)
WRONG_NODE = _status(NODE_NAME, "node(s) didn't match the requested node name", resolvable=False)
TAINTED = _status(TAINT_TOLERATION, "node(s) had untolerated taint(s)", resolvable=False)
NOT_NAMED = _status(
    NODE_AFFINITY, "node(s) didn't satisfy plugin(s) [NodeAffinity]", resolvable=False
)
UNMATCHED = _status(
    NODE_AFFINITY, "node(s) didn't match Pod's node affinity/selector", resolvable=False
)
PORTS = _status(
    NODE_PORTS, "node(s) didn't have free ports for the requested pod ports", resolvable=True
)
SPREAD = _status(POD_TOPOLOGY_SPREAD, _SPREAD, resolvable=True)
SPREAD_LABEL = _status(POD_TOPOLOGY_SPREAD, f"{_SPREAD} (missing required label)", resolvable=False)
AFFINITY = _status(INTER_POD_AFFINITY, "node(s) didn't match pod affinity rules", resolvable=False)
ANTI_AFFINITY = _status(
    INTER_POD_AFFINITY, "node(s) didn't match pod anti-affinity rules", resolvable=True
)
EXISTING_ANTI_AFFINITY = _status(
    INTER_POD_AFFINITY, "node(s) didn't satisfy existing pods anti-affinity rules", resolvable=True
)


@lru_cache(maxsize=4096)
def insufficient(reasons: tuple[str, ...], resolvable: bool) -> Status:
    """Too little of something; equal ones are the same object."""
    return Status(NODE_RESOURCES_FIT, reasons, resolvable)
