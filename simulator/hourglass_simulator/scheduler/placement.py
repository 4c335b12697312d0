"""Where pods of one kind fit best: kept up to date as nodes change instead of asked anew."""

import heapq
import json
from collections.abc import Mapping

from hourglass_operator.kube import affinity, toleration
from hourglass_simulator.scheduler.filters import Filters, Misfit
from hourglass_simulator.scheduler.snapshot import NodeInfo, PodInfo

_RELEVANT = (
    "affinity",
    "nodeName",
    "nodeSelector",
    "overhead",
    "tolerations",
    "topologySpreadConstraints",
)
# kube-scheduler's assumption for containers that request nothing, in scores only.
_LEAST = {"cpu": 100, "memory": 200 * 1024 * 1024}


def kind_of(pod: PodInfo) -> str:
    """Equal for pods that every filter and score treats alike."""
    spec = {key: pod.spec.get(key) for key in _RELEVANT}
    spec["requests"] = pod.requests
    spec["ports"] = pod.host_ports
    return json.dumps([pod.namespace, sorted(pod.labels.items()), spec], sort_keys=True)


class Placement:
    """A heap of nodes by score for pods of one kind; entries that are out of date are skipped."""

    def __init__(self, pod: PodInfo) -> None:
        self.seen = 0
        """How many changes of nodes have been taken in."""
        self._pod = pod
        self.filters = Filters(pod)
        self._prefers = affinity.preference(pod.spec)
        self._scores: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._tolerations = pod.spec.get("tolerations") or []

    def misfit(self, node: NodeInfo) -> Misfit | None:
        """Why a node does not do, leaving pods elsewhere aside."""
        return self.filters.static(node) or self.filters.dynamic(node)

    def refresh(self, name: str, node: NodeInfo | None) -> None:
        """Look at a node again."""
        if node is None or self.misfit(node) is not None:
            self._scores.pop(name, None)
            return
        score = -self._score(node)
        self._scores[name] = score
        heapq.heappush(self._heap, (score, name))

    def best(self) -> str | None:
        """The node with the best score; of equal ones the first by name."""
        while self._heap:
            score, name = self._heap[0]
            if self._scores.get(name) == score:
                return name
            heapq.heappop(self._heap)
        return None

    def ranked(self) -> list[str]:
        """All nodes that do, best first."""
        return [name for _, name in sorted((score, name) for name, score in self._scores.items())]

    def _score(self, node: NodeInfo) -> float:
        """Least allocated CPU and memory, preferred affinity, and no PreferNoSchedule taint."""
        free = 0.0
        for resource, least in _LEAST.items():
            total = node.allocatable.get(resource, 0)
            if total:
                own = self._pod.requests.get(resource, 0) or least
                free += max(0.0, (total - node.requested.get(resource, 0) - own) / total)
        avoided = toleration.untolerated(
            self._tolerations, node.view.taints, (toleration.PREFER_NO_SCHEDULE,)
        )
        return free * 50 + 2 * min(100, self._prefers(node.view)) - (300 if avoided else 0)


def misfits(placement: Placement, nodes: Mapping[str, NodeInfo]) -> dict[str, Misfit]:
    """Why none of the nodes does, by name."""
    found = {name: placement.misfit(node) for name, node in nodes.items()}
    return {name: misfit for name, misfit in found.items() if misfit is not None}
