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


class PluginError(Exception):
    """A plugin fails instead of deciding: kube-scheduler tries again later."""


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
VOLUME_RESTRICTIONS = "VolumeRestrictions"
NODE_VOLUME_LIMITS = "NodeVolumeLimits"
VOLUME_BINDING = "VolumeBinding"
VOLUME_ZONE = "VolumeZone"
POD_TOPOLOGY_SPREAD = "PodTopologySpread"
INTER_POD_AFFINITY = "InterPodAffinity"
DYNAMIC_RESOURCES = "DynamicResources"
NODE_DECLARED_FEATURES = "NodeDeclaredFeatures"


def _status(plugin: str, reason: str, *, resolvable: bool) -> Status:
    return Status(plugin, (reason,), resolvable)


_SPREAD = "node(s) didn't match pod topology spread constraints"

UNSCHEDULABLE = _status(NODE_UNSCHEDULABLE, "node(s) were unschedulable", resolvable=False)
WRONG_NODE = _status(NODE_NAME, "node(s) didn't match the requested node name", resolvable=False)
TAINTED = _status(TAINT_TOLERATION, "node(s) had untolerated taint(s)", resolvable=False)
CONFLICTING = _status(NODE_AFFINITY, "pod affinity terms conflict", resolvable=False)
NOT_NAMED = _status(
    NODE_AFFINITY, "node(s) didn't satisfy plugin(s) [NodeAffinity]", resolvable=False
)
UNMATCHED = _status(
    NODE_AFFINITY, "node(s) didn't match Pod's node affinity/selector", resolvable=False
)
PORTS = _status(
    NODE_PORTS, "node(s) didn't have free ports for the requested pod ports", resolvable=True
)
FEATURES = _status(
    NODE_DECLARED_FEATURES, "node(s) didn't match Pod's required features", resolvable=False
)
DISK_IN_USE = _status(VOLUME_RESTRICTIONS, "node(s) had no available disk", resolvable=True)
CLAIM_IN_USE = _status(
    VOLUME_RESTRICTIONS,
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already "
    "in-use by another pod",
    resolvable=True,
)
TOO_MANY_VOLUMES = _status(NODE_VOLUME_LIMITS, "node(s) exceed max volume count", resolvable=True)
NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"
NOT_ENOUGH_SPACE = "node(s) did not have enough free storage"
NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
UNBOUND_CLAIMS = _status(
    VOLUME_BINDING, "pod has unbound immediate PersistentVolumeClaims", resolvable=False
)
ZONE = _status(VOLUME_ZONE, "node(s) had no available volume zone", resolvable=False)
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
def rejected(plugin: str, *reasons: str) -> Status:
    """Removing pods does not help; equal ones are the same object."""
    return Status(plugin, reasons, resolvable=False)


@lru_cache(maxsize=4096)
def without_driver(driver: str) -> Status:
    """A CSI driver is not on the node; equal ones are the same object."""
    reason = f"{driver} CSI driver is not installed on the node"
    return Status(NODE_VOLUME_LIMITS, (reason,), resolvable=True)


@lru_cache(maxsize=4096)
def insufficient(reasons: tuple[str, ...], resolvable: bool) -> Status:
    """Too little of something; equal ones are the same object."""
    return Status(NODE_RESOURCES_FIT, reasons, resolvable)
