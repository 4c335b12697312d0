"""How a pod stands to pods all over the cluster: PodTopologySpread and InterPodAffinity.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/podtopologyspread/filtering.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/interpodaffinity/filtering.go
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from hourglass_simulator.scheduler import status
from hourglass_simulator.scheduler.filters import Filters
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.softspread import SoftSpread
from hourglass_simulator.scheduler.status import Status
from hourglass_simulator.scheduler.terms import Spread, Term
from hourglass_simulator.scheduler.topologycounts import TopologyCounts

Changes = Sequence[tuple[PodInfo, int]]


@dataclass(frozen=True, slots=True)
class _Required:
    """What the filters look at."""

    spread: tuple[tuple[Spread, TopologyCounts], ...]
    near: tuple[tuple[str, TopologyCounts], ...]
    apart: tuple[tuple[str, TopologyCounts], ...]
    unwanted: tuple[tuple[str, dict[str, int]], ...]

    def __bool__(self) -> bool:
        return bool(self.spread or self.near or self.apart or self.unwanted)


class Topology:
    """The filters and scores of one pod that look at other pods."""

    def __init__(self, pod: PodInfo, snapshot: Snapshot, filters: Filters) -> None:
        self._pod = pod
        self._snapshot = snapshot
        self._filters = filters
        terms, spaces = pod.terms, snapshot.namespaces
        self._spreading = SoftSpread(pod, snapshot, filters)
        self.required = _Required(
            tuple(self._spread_counts(terms.spread)) if terms.spread else (),
            tuple((t.topology_key, self._near(t)) for t in terms.affinity),
            tuple((t.topology_key, self._term_counts(t)) for t in terms.anti_affinity),
            tuple(snapshot.existing_terms.anti_affinity_counts(pod, spaces)),
        )
        self._liked = [
            *(
                (key, weights, 1)
                for key, weights in snapshot.existing_terms.preference_weights(pod, spaces)
            ),
            *(
                (t.topology_key, self._term_counts(t).by_value, weight)
                for t, weight in terms.preferred
            ),
        ]

    @property
    def prefers(self) -> bool:
        """Whether nodes that do differ in more than what they have free."""
        return bool(self._liked) or self._spreading.matters

    def filter(self, node: NodeInfo) -> Status | None:
        """What keeps the pod off the node."""
        return _filter(self._pod, self.required, node)

    def filter_after(self, node: NodeInfo, changes: Changes) -> Status | None:
        """The same if pods had come to the node (1) or left it (-1)."""
        if not self.required and not any(p.terms.anti_affinity for p, sign in changes if sign > 0):
            return None
        now = self.required
        moved = _Required(
            tuple((s, counts.moved(changes, node)) for s, counts in now.spread),
            tuple((key, counts.moved(changes, node)) for key, counts in now.near),
            tuple((key, counts.moved(changes, node)) for key, counts in now.apart),
            self._unwanted_after(node, changes),
        )
        return _filter(self._pod, moved, node)

    def scores(self, nodes: Sequence[NodeInfo]) -> dict[str, list[int]]:
        """What preferred affinity and soft spreading say of nodes that fit, by plugin."""
        return {
            "InterPodAffinity": self._affinity(nodes),
            "PodTopologySpread": self._spreading.scores(nodes),
        }

    def _affinity(self, nodes: Sequence[NodeInfo]) -> list[int]:
        raw = [0] * len(nodes)
        for key, counts, weight in self._liked:
            for i, node in enumerate(nodes):
                value = node.view.labels.get(key)
                if value in counts:
                    raw[i] += weight * counts[value]
        least, most = min(raw), max(raw)
        if most == least:
            return [0] * len(nodes)
        return [int(100.0 * ((score - least) / (most - least))) for score in raw]

    def _unwanted_after(
        self, node: NodeInfo, changes: Changes
    ) -> tuple[tuple[str, dict[str, int]], ...]:
        moved = [(key, dict(counts)) for key, counts in self.required.unwanted]
        spaces, pod = self._snapshot.namespaces, self._pod
        for other, sign in changes:
            for term in other.terms.anti_affinity:
                value = node.view.labels.get(term.topology_key)
                if value is not None and term.selects(pod.namespace, pod.labels, spaces):
                    moved.append((term.topology_key, {value: sign}))
        total: dict[str, dict[str, int]] = {}
        for key, counts in moved:
            by_value = total.setdefault(key, {})
            for value, count in counts.items():
                by_value[value] = by_value.get(value, 0) + count
        return tuple(total.items())

    def _term_counts(self, term: Term) -> TopologyCounts:
        """Pods that a term matches, by its topology."""
        snapshot, key = self._snapshot, term.topology_key

        def matches(pod: PodInfo) -> bool:
            return term.selects(pod.namespace, pod.labels, snapshot.namespaces)

        return snapshot.topology_counts(
            f"term {term.text}", partial(TopologyCounts, matches, _label(key))
        )

    def _near(self, term: Term) -> TopologyCounts:
        """Pods that all required affinity terms mean, by the topology of one."""
        snapshot, terms = self._snapshot, self._pod.terms.affinity

        def matches(pod: PodInfo) -> bool:
            return all(t.selects(pod.namespace, pod.labels, snapshot.namespaces) for t in terms)

        texts = json.dumps([t.text for t in terms])
        make = partial(TopologyCounts, matches, _label(term.topology_key))
        return snapshot.topology_counts(f"near {term.topology_key} {texts}", make)

    def _spread_counts(
        self, constraints: tuple[Spread, ...]
    ) -> list[tuple[Spread, TopologyCounts]]:
        keys = [constraint.topology_key for constraint in constraints]
        return [(one, self._spread_count(one, keys)) for one in constraints]

    def _spread_count(self, one: Spread, keys: list[str]) -> TopologyCounts:
        """Pods that a constraint matches, by topology value of the nodes that take part."""
        namespace, filters = self._pod.namespace, self._filters

        def matches(pod: PodInfo) -> bool:
            same = pod.namespace == namespace and not pod.terminating
            return same and not one.counts_nobody and one.selects(pod.labels)

        def value(node: NodeInfo) -> str | None:
            labels = node.view.labels
            if not all(key in labels for key in keys):
                return None
            if one.honors_affinity and not filters.permits(node.view):
                return None
            if one.honors_taints and not filters.tolerates(node.view):
                return None
            return labels[one.topology_key]

        spec = self._pod.spec
        static = [
            (spec.get("affinity") or {}).get("nodeAffinity"),
            spec.get("nodeSelector"),
            spec.get("tolerations") if one.honors_taints else None,
        ]
        text = json.dumps([namespace, one.text, keys, static], sort_keys=True)
        return self._snapshot.topology_counts(
            f"spread {text}", partial(TopologyCounts, matches, value, zeros=True)
        )


def _filter(pod: PodInfo, required: _Required, node: NodeInfo) -> Status | None:
    labels = node.view.labels
    for constraint, counts in required.spread:
        here = labels.get(constraint.topology_key)
        if here is None:
            return status.SPREAD_LABEL
        if _skew(pod, constraint, counts.by_value, here) > constraint.max_skew:
            return status.SPREAD
    if required.near and not _company(pod, required, node):
        return status.AFFINITY
    if any(_at(counts.by_value, node, key) > 0 for key, counts in required.apart):
        return status.ANTI_AFFINITY
    if any(_at(counts, node, key) > 0 for key, counts in required.unwanted):
        return status.EXISTING_ANTI_AFFINITY
    return None


def _skew(pod: PodInfo, constraint: Spread, counts: dict[str, int], here: str) -> int:
    enough = len(counts) >= constraint.min_domains
    least = min(counts.values()) if enough else 0
    return counts.get(here, 0) + constraint.selects(pod.labels) - least


def _company(pod: PodInfo, required: _Required, node: NodeInfo) -> bool:
    labels = node.view.labels
    if not all(key in labels for key, _ in required.near):
        return False
    if all(counts.by_value.get(labels[key], 0) > 0 for key, counts in required.near):
        return True
    # The first of its kind may start where nobody else of its kind runs yet.
    nobody = not any(count > 0 for _, counts in required.near for count in counts.by_value.values())
    return nobody and all(counts.matches(pod) for _, counts in required.near)


def _at(counts: dict[str, int], node: NodeInfo, key: str) -> int:
    value = node.view.labels.get(key)
    return 0 if value is None else counts.get(value, 0)


def _label(key: str) -> Callable[[NodeInfo], str | None]:
    return lambda node: node.view.labels.get(key)
