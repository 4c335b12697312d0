"""Where pods of one kind fit best, other pods elsewhere aside: kept up to date as nodes change.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/scheduler/framework/plugins/noderesources
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

from hourglass_kube import affinity, toleration
from hourglass_simulator.scheduler.filters import Filters
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo, kind_of
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.status import NodeToStatus

_KINDS = 64
"""Kinds of pods whose nodes are kept up to date; the least recently used is forgotten."""

_Entry = tuple[int, int, str]


class Placement:
    """Nodes for pods of one kind: those that do in the order of their score, and why others don't.

    Of nodes with equal scores the one with the fewest pods comes first, then the first by name.
    """

    def __init__(self, pod: PodInfo) -> None:
        self.filters = Filters(pod)
        self.statuses = NodeToStatus()
        self._scores = Scores(pod)
        self._entries: dict[str, _Entry] = {}
        self._ranked: list[_Entry] = []
        self._seen = 0
        self._era = -1

    def refresh(self, snapshot: Snapshot) -> None:
        """Look at the nodes that have changed since the last time."""
        if self._era != snapshot.era:
            self._begin(snapshot)
        else:
            for name in dict.fromkeys(snapshot.changes[self._seen :]):
                self._look(name, snapshot.nodes.get(name))
        self._seen = len(snapshot.changes)

    def ranked(self) -> Iterator[str]:
        """The nodes that do, best first."""
        return (entry[2] for entry in self._ranked)

    def score(self, name: str) -> int:
        """The score of a node that fits."""
        return -self._entries[name][0]

    def _begin(self, snapshot: Snapshot) -> None:
        self.statuses.clear()
        self._entries.clear()
        self._era = snapshot.era
        for name, node in snapshot.nodes.items():
            status = self.filters.filter(node)
            if status is not None:
                self.statuses.set(name, status)
            else:
                self._entries[name] = (-self._scores.of(node), len(node.pods), name)
        self._ranked = sorted(self._entries.values())

    def _look(self, name: str, node: NodeInfo | None) -> None:
        old = self._entries.pop(name, None)
        if old is not None:
            del self._ranked[bisect_left(self._ranked, old)]
        status = None if node is None else self.filters.filter(node)
        if status is not None or name in self.statuses.by_node:
            self.statuses.set(name, status)
        if node is None or status is not None:
            return
        entry = self._entries[name] = (-self._scores.of(node), len(node.pods), name)
        insort(self._ranked, entry)


class Placements:
    """The placements of the kinds of pods that came last."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._kinds: dict[str, Placement] = {}

    def of(self, pod: PodInfo) -> Placement:
        """The placement for a pod, up to date."""
        kind = kind_of(pod)
        placement = self._kinds.pop(kind, None) or Placement(pod)
        self._kinds[kind] = placement
        if len(self._kinds) > _KINDS:
            del self._kinds[next(iter(self._kinds))]
        placement.refresh(self._snapshot)
        return placement


class Scores:
    """The scores of nodes that other pods elsewhere have no part in.

    LeastAllocated and BalancedAllocation of CPU and memory (weight 1 each), TaintToleration (3) and
    NodeAffinity (2), each from 0 to 100. Unlike kube-scheduler, which scales the last two by the
    best node, a node has 0 if it bears a taint that the pod would rather avoid, and the share that
    it meets of the weights that the pod prefers.
    """

    def __init__(self, pod: PodInfo) -> None:
        self._assumed = pod.assumed
        self._requests = (pod.requests.get("cpu", 0), pod.requests.get("memory", 0))
        self._tolerations = pod.spec.get("tolerations") or []
        self._prefers = affinity.preference(pod.spec)
        self._weights = _weights(pod)

    def of(self, node: NodeInfo) -> int:
        """The score of a node that fits."""
        score = self._allocation(node)
        view = node.view
        if self._weights:
            score += 2 * (100 * self._prefers(view) // self._weights)
        if not view.taints or not toleration.untolerated(
            self._tolerations, view.taints, (toleration.PREFER_NO_SCHEDULE,)
        ):
            score += 300
        return score

    def _allocation(self, node: NodeInfo) -> int:
        there, taken, assumed = node.allocatable, node.requested, node.assumed
        cores, size = there.get("cpu", 0), there.get("memory", 0)
        if not (cores and size):
            return 0
        left = cores - assumed[0] - self._assumed[0]
        least = left * 100 // cores if left > 0 else 0
        left = size - assumed[1] - self._assumed[1]
        least += left * 100 // size if left > 0 else 0
        cpu, memory = self._requests
        if not (cpu or memory):
            return least // 2
        first = min(1.0, (taken.get("cpu", 0) + cpu) / cores)
        second = min(1.0, (taken.get("memory", 0) + memory) / size)
        return least // 2 + int((1 - abs(first - second) / 2) * 100)


def _weights(pod: PodInfo) -> int:
    terms = ((pod.spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "preferredDuringSchedulingIgnoredDuringExecution"
    )
    return sum(int(term["weight"]) for term in terms or ())
