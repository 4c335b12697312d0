"""What score plugins say of nodes that fit, and how their scores are put together.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/scheduler/framework/plugins
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hourglass_kube import affinity, toleration
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo, assumed_of_new

MAX = 100
WEIGHTS = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
    "DynamicResources": 2,
}
"""The score plugins of the default profile."""
_MEGABYTE = 1024 * 1024
_IMAGE_LEAST, _IMAGE_MOST = 23 * _MEGABYTE, 1000 * _MEGABYTE


class Traits(NamedTuple):
    """What decides about a node beside its allocation, the same for many nodes."""

    taints: int
    """PreferNoSchedule taints that the pod does not tolerate."""
    affinity: int
    """The sum of the weights of the preferred terms that the node matches."""


class NodeScores:
    """The scores of single nodes for pods of one kind, before they are normalised."""

    def __init__(self, pod: PodInfo, *, by_change: bool) -> None:
        """`by_change`: a node is balanced by what the pod changes, not by how it is with it."""
        self._by_change = by_change
        self._assumed = assumed_of_new(pod)
        self._requests = (pod.requests.get("cpu", 0), pod.requests.get("memory", 0))
        self._tolerations = [
            t for t in pod.spec.get("tolerations") or () if t.get("effect") in _PREFER
        ]
        self._prefers = affinity.preference(pod.spec)

    def traits(self, node: NodeInfo) -> Traits:
        """Taints and preferred affinity."""
        return Traits(self._intolerable(node), self._prefers(node.view))

    def allocation(self, node: NodeInfo) -> tuple[int, int]:
        """NodeResourcesFit (LeastAllocated) and NodeResourcesBalancedAllocation."""
        there, taken, assumed = node.allocatable, node.requested, node.assumed
        least = weights = 0
        before, after = [], []
        for i, resource in enumerate(("cpu", "memory")):
            total = there.get(resource, 0)
            if not total:
                continue
            weights += 1
            left = total - assumed[i] - self._assumed[i]
            if left > 0:
                least += left * MAX // total
            used = taken.get(resource, 0)
            before.append(min(1.0, used / total))
            after.append(min(1.0, (used + self._requests[i]) / total))
        least = least // weights if weights else 0
        if not any(self._requests):
            return least, 0
        balance = _balance(after)
        if self._by_change:
            balance = MAX // 2 + (MAX // 2 + balance - _balance(before)) // 2
        return least, balance

    def _intolerable(self, node: NodeInfo) -> int:
        return sum(
            taint.effect == toleration.PREFER_NO_SCHEDULE
            and not any(toleration.tolerates(t, taint) for t in self._tolerations)
            for taint in node.view.taints
        )


def _balance(fractions: Sequence[float]) -> int:
    deviation = abs((fractions[0] - fractions[1]) / 2) if len(fractions) == 2 else 0.0
    return int((1 - deviation) * MAX)


_PREFER = (None, "", toleration.PREFER_NO_SCHEDULE)


def image_locality(
    images: Sequence[str], node: NodeInfo, nodes_with: Mapping[str, int], nodes: int
) -> int:
    """`images` are those of the pod's containers; `nodes_with`, on how many of `nodes` each is."""
    total = sum(
        int(float(node.images[name]) * (nodes_with[name] / nodes))
        for name in images
        if name in node.images
    )
    most = _IMAGE_MOST * len(images)
    total = min(max(total, _IMAGE_LEAST), most)
    return MAX * (total - _IMAGE_LEAST) // (most - _IMAGE_LEAST)


def normalised(traits: Iterable[Traits]) -> dict[Traits, tuple[int, int]]:
    """TaintToleration and NodeAffinity of each, relative to the others."""
    found = set(traits)
    taints = max((t.taints for t in found), default=0)
    most = max((t.affinity for t in found), default=0)
    return {
        t: (
            MAX - MAX * t.taints // taints if taints else MAX,
            MAX * t.affinity // most if most else 0,
        )
        for t in found
    }


def total(scores: Mapping[str, int]) -> int:
    """The sum of the scores by plugin, each by its weight."""
    return sum(WEIGHTS[plugin] * score for plugin, score in scores.items())
