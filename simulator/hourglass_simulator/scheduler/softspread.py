"""How PodTopologySpread scores nodes: constraints that are preferences, a pod's own or the default.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/podtopologyspread/scoring.go
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from math import floor, log

from hourglass_kube.expression import IN
from hourglass_simulator.scheduler.defaultspread import default_constraints
from hourglass_simulator.scheduler.filters import Filters
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.terms import Spread
from hourglass_simulator.scheduler.topologycounts import TopologyCounts

_HOST = "kubernetes.io/hostname"
_FEW = 1000
"""So many pods are counted anew each time; counts of more are kept up to date."""


class SoftSpread:
    """The soft constraints of one pod."""

    def __init__(self, pod: PodInfo, snapshot: Snapshot, filters: Filters) -> None:
        self._pod = pod
        self._snapshot = snapshot
        self._filters = filters
        self._own = bool(pod.spec.get("topologySpreadConstraints"))
        if self._own:
            self._constraints = pod.terms.soft_spread
        else:
            self._constraints = default_constraints(pod, snapshot.services, snapshot.listers)
        self._counts: dict[str, Mapping[str, int]] = {}

    @cached_property
    def matters(self) -> bool:
        """Whether nodes may differ."""
        if not self._constraints:
            return False
        if any(self._by_node(one) for one in self._constraints):
            return True
        nodes, having = len(self._snapshot.nodes), self._snapshot.nodes_with_label
        return any(having(one.topology_key) not in (0, nodes) for one in self._constraints)

    def scores(self, nodes: Sequence[NodeInfo]) -> list[int]:
        """Of nodes that fit, 0 to 100."""
        if not self._constraints:
            return [0] * len(nodes)
        known = [not self._own or self._has_keys(node) for node in nodes]
        raw = [0.0] * len(nodes)
        for one in self._constraints:
            self._add(one, nodes, known, raw)
        rounded = [floor(score + 0.5) for score in raw]
        seen = [score for score, does in zip(rounded, known, strict=True) if does]
        least, most = min(seen, default=0), max(seen, default=0)
        return [
            0 if not does else 100 * (most + least - score) // most if most else 100
            for score, does in zip(rounded, known, strict=True)
        ]

    def _add(
        self, one: Spread, nodes: Sequence[NodeInfo], known: list[bool], raw: list[float]
    ) -> None:
        key = one.topology_key
        if not self._snapshot.nodes_with_label(key):
            return
        by_node = self._by_node(one)
        if key == _HOST:
            weight = log(sum(known) + 2)
        else:
            values = {
                node.view.labels.get(key, "")
                for node, does in zip(nodes, known, strict=True)
                if does
            }
            weight = log(len(values) + 2)
            by_value = self._by_value(one, by_node)
        for i, node in enumerate(nodes):
            value = node.view.labels.get(key)
            if known[i] and value is not None:
                count = by_node.get(node.view.name, 0) if key == _HOST else by_value.get(value, 0)
                raw[i] += count * weight + (one.max_skew - 1)

    def _by_value(self, one: Spread, by_node: Mapping[str, int]) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, count in by_node.items():
            node = self._snapshot.nodes[name]
            if self._has_keys(node) and self._takes_part(one, node):
                value = node.view.labels.get(one.topology_key, "")
                found[value] = found.get(value, 0) + count
        return found

    def _has_keys(self, node: NodeInfo) -> bool:
        """Constraints of its own are only for nodes that have all of their labels."""
        labels = node.view.labels
        return not self._own or all(one.topology_key in labels for one in self._constraints)

    def _takes_part(self, one: Spread, node: NodeInfo) -> bool:
        if one.honors_affinity and not self._filters.permits(node.view):
            return False
        return not one.honors_taints or self._filters.tolerates(node.view)

    def _by_node(self, one: Spread) -> Mapping[str, int]:
        """Pods that a constraint means, by the name of their node."""
        key = f"soft {self._pod.namespace} {one.selector}"
        if key not in self._counts:
            self._counts[key] = self._count(one, key)
        return self._counts[key]

    def _count(self, one: Spread, key: str) -> Mapping[str, int]:
        if one.counts_nobody:
            return {}
        namespace, snapshot = self._pod.namespace, self._snapshot

        def matches(pod: PodInfo) -> bool:
            return pod.namespace == namespace and not pod.terminating and one.selects(pod.labels)

        exact = [r for r in one.selector or () if r.operator == IN and len(r.values) == 1]
        groups = [snapshot.labelled(namespace, r.key, r.values[0]) for r in exact]
        fewest = min(groups, key=len, default=None)
        if fewest is None or len(fewest) > _FEW:
            make = partial(TopologyCounts, matches, _name)
            return snapshot.topology_counts(key, make).by_value
        found: dict[str, int] = {}
        for uid, name in fewest.items():
            if matches(snapshot.nodes[name].pods[uid]):
                found[name] = found.get(name, 0) + 1
        return found


def _name(node: NodeInfo) -> str:
    return node.view.name
