"""Why a node does not do for a pod, in kube-scheduler's words."""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True, eq=False)
class Misfit:
    """What a filter plugin says; `resolvable`: removing pods from the node might help."""

    plugin: str
    reasons: tuple[str, ...]
    resolvable: bool


class Misfits:
    """What is wrong with each node, and how many nodes share each misfit."""

    def __init__(self) -> None:
        self.by_node: dict[str, Misfit] = {}
        self.counts: dict[Misfit, int] = {}

    def __len__(self) -> int:
        return len(self.by_node)

    def set(self, node: str, misfit: Misfit | None) -> None:
        """What is wrong with a node now; None if nothing is."""
        before = self.by_node.pop(node, None)
        if before is not None:
            self.counts[before] -= 1
            if not self.counts[before]:
                del self.counts[before]
        if misfit is not None:
            self.by_node[node] = misfit
            self.counts[misfit] = self.counts.get(misfit, 0) + 1

    def clear(self) -> None:
        """No nodes."""
        self.by_node.clear()
        self.counts.clear()

    def copy(self) -> "Misfits":
        """The same to add to."""
        other = Misfits()
        other.by_node, other.counts = dict(self.by_node), dict(self.counts)
        return other

    @property
    def resolvable(self) -> int:
        """On how many nodes removing pods might help."""
        return sum(count for misfit, count in self.counts.items() if misfit.resolvable)


NODE_UNSCHEDULABLE = "NodeUnschedulable"
NODE_NAME = "NodeName"
TAINT_TOLERATION = "TaintToleration"
NODE_AFFINITY = "NodeAffinity"
NODE_PORTS = "NodePorts"
NODE_RESOURCES_FIT = "NodeResourcesFit"
POD_TOPOLOGY_SPREAD = "PodTopologySpread"
INTER_POD_AFFINITY = "InterPodAffinity"


def _misfit(plugin: str, reason: str, *, resolvable: bool) -> Misfit:
    return Misfit(plugin, (reason,), resolvable)


_SPREAD = "node(s) didn't match pod topology spread constraints"

UNSCHEDULABLE = _misfit(NODE_UNSCHEDULABLE, "node(s) were unschedulable", resolvable=False)
WRONG_NODE = _misfit(NODE_NAME, "node(s) didn't match the requested node name", resolvable=False)
TAINTED = _misfit(TAINT_TOLERATION, "node(s) had untolerated taint(s)", resolvable=False)
NOT_NAMED = _misfit(
    NODE_AFFINITY, "node(s) didn't satisfy plugin(s) [NodeAffinity]", resolvable=False
)
UNMATCHED = _misfit(
    NODE_AFFINITY, "node(s) didn't match Pod's node affinity/selector", resolvable=False
)
PORTS = _misfit(
    NODE_PORTS, "node(s) didn't have free ports for the requested pod ports", resolvable=True
)
SPREAD = _misfit(POD_TOPOLOGY_SPREAD, _SPREAD, resolvable=True)
SPREAD_LABEL = _misfit(POD_TOPOLOGY_SPREAD, f"{_SPREAD} (missing required label)", resolvable=False)
AFFINITY = _misfit(INTER_POD_AFFINITY, "node(s) didn't match pod affinity rules", resolvable=False)
ANTI_AFFINITY = _misfit(
    INTER_POD_AFFINITY, "node(s) didn't match pod anti-affinity rules", resolvable=True
)
EXISTING_ANTI_AFFINITY = _misfit(
    INTER_POD_AFFINITY, "node(s) didn't satisfy existing pods anti-affinity rules", resolvable=True
)


@lru_cache(maxsize=4096)
def insufficient(reasons: tuple[str, ...], resolvable: bool) -> Misfit:
    """Too little of something; equal ones are the same object."""
    return Misfit(NODE_RESOURCES_FIT, reasons, resolvable)
