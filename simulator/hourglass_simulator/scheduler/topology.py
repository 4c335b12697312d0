"""How a pod stands to pods all over the cluster: PodTopologySpread and InterPodAffinity.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/podtopologyspread/filtering.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/interpodaffinity/filtering.go
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import log

from hourglass_simulator.scheduler import misfit
from hourglass_simulator.scheduler.filters import Filters
from hourglass_simulator.scheduler.misfit import Misfit
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.tally import Tally
from hourglass_simulator.scheduler.terms import Spread, Term

Changes = Sequence[tuple[PodInfo, int]]


@dataclass(frozen=True, slots=True)
class _Required:
    """What the filters look at."""

    spread: tuple[tuple[Spread, Tally], ...]
    near: tuple[tuple[str, Tally], ...]
    apart: tuple[tuple[str, Tally], ...]
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
        self.required = _Required(
            tuple(self._spread_tallies(terms.spread)) if terms.spread else (),
            tuple((t.topology_key, self._near(t)) for t in terms.affinity),
            tuple((t.topology_key, self._tally(t)) for t in terms.anti_affinity),
            tuple(snapshot.wishes.against(pod, spaces)),
        )
        self._liked = [
            *((key, weights, 1) for key, weights in snapshot.wishes.about(pod, spaces)),
            *((t.topology_key, self._tally(t).counts, weight) for t, weight in terms.preferred),
        ]

    @property
    def prefers(self) -> bool:
        """Whether nodes that do differ in more than what they have free."""
        return bool(self._liked or self._pod.terms.soft_spread)

    def misfit(self, node: NodeInfo) -> Misfit | None:
        """What keeps the pod off the node."""
        return _misfit(self._pod, self.required, node)

    def misfit_after(self, node: NodeInfo, changes: Changes) -> Misfit | None:
        """The same if pods had come to the node (1) or left it (-1)."""
        if not self.required and not any(p.terms.anti_affinity for p, sign in changes if sign > 0):
            return None
        now = self.required
        moved = _Required(
            tuple((s, tally.moved(changes, node)) for s, tally in now.spread),
            tuple((key, tally.moved(changes, node)) for key, tally in now.near),
            tuple((key, tally.moved(changes, node)) for key, tally in now.apart),
            self._unwanted_after(node, changes),
        )
        return _misfit(self._pod, moved, node)

    def scores(self, nodes: Sequence[NodeInfo]) -> list[int]:
        """What preferred affinity and soft spreading add to the scores of nodes that do."""
        return [
            2 * liked + 2 * spread
            for liked, spread in zip(self._affinity(nodes), self._spreading(nodes), strict=True)
        ]

    def _affinity(self, nodes: Sequence[NodeInfo]) -> list[int]:
        raw = [0] * len(nodes)
        for key, counts, weight in self._liked:
            for i, node in enumerate(nodes):
                value = node.view.labels.get(key)
                if value in counts:
                    raw[i] += weight * counts[value]
        least, most = min(raw), max(raw)
        return [100 * (score - least) // (most - least) if most > least else 0 for score in raw]

    def _spreading(self, nodes: Sequence[NodeInfo]) -> list[int]:
        constraints = self._pod.terms.soft_spread
        if not constraints:
            return [0] * len(nodes)
        raw: list[float | None] = [0.0] * len(nodes)
        for constraint, tally in self._spread_tallies(constraints):
            values = [node.view.labels.get(constraint.topology_key) for node in nodes]
            weight = log(len({value for value in values if value is not None}) + 2)
            for i, value in enumerate(values):
                before = raw[i]
                if value is None or before is None:
                    raw[i] = None
                else:
                    counted = tally.counts.get(value, 0)
                    raw[i] = before + counted * weight + constraint.max_skew - 1
        known = [round(score) for score in raw if score is not None]
        if not known:
            return [0] * len(nodes)
        least, most = min(known), max(known)
        return [
            0 if score is None else 100 * (most + least - round(score)) // most if most else 100
            for score in raw
        ]

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

    def _tally(self, term: Term) -> Tally:
        """Pods that a term means, by its topology."""
        snapshot, key = self._snapshot, term.topology_key

        def means(pod: PodInfo) -> bool:
            return term.selects(pod.namespace, pod.labels, snapshot.namespaces)

        return snapshot.tally(f"term {term.text}", partial(Tally, means, _label(key)))

    def _near(self, term: Term) -> Tally:
        """Pods that all required affinity terms mean, by the topology of one."""
        snapshot, terms = self._snapshot, self._pod.terms.affinity

        def means(pod: PodInfo) -> bool:
            return all(t.selects(pod.namespace, pod.labels, snapshot.namespaces) for t in terms)

        texts = json.dumps([t.text for t in terms])
        make = partial(Tally, means, _label(term.topology_key))
        return snapshot.tally(f"near {term.topology_key} {texts}", make)

    def _spread_tallies(self, constraints: tuple[Spread, ...]) -> list[tuple[Spread, Tally]]:
        keys = [constraint.topology_key for constraint in constraints]
        return [(one, self._spread_tally(one, keys)) for one in constraints]

    def _spread_tally(self, one: Spread, keys: list[str]) -> Tally:
        """Pods that a constraint means, by topology value of the nodes that take part."""
        namespace, filters = self._pod.namespace, self._filters

        def means(pod: PodInfo) -> bool:
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
        return self._snapshot.tally(f"spread {text}", partial(Tally, means, value, zeros=True))


def _misfit(pod: PodInfo, required: _Required, node: NodeInfo) -> Misfit | None:
    labels = node.view.labels
    for constraint, tally in required.spread:
        here = labels.get(constraint.topology_key)
        if here is None:
            return misfit.SPREAD_LABEL
        if _skew(pod, constraint, tally.counts, here) > constraint.max_skew:
            return misfit.SPREAD
    if required.near and not _company(pod, required, node):
        return misfit.AFFINITY
    if any(_at(tally.counts, node, key) > 0 for key, tally in required.apart):
        return misfit.ANTI_AFFINITY
    if any(_at(counts, node, key) > 0 for key, counts in required.unwanted):
        return misfit.EXISTING_ANTI_AFFINITY
    return None


def _skew(pod: PodInfo, constraint: Spread, counts: dict[str, int], here: str) -> int:
    enough = len(counts) >= constraint.min_domains
    least = min(counts.values()) if enough else 0
    return counts.get(here, 0) + constraint.selects(pod.labels) - least


def _company(pod: PodInfo, required: _Required, node: NodeInfo) -> bool:
    labels = node.view.labels
    if not all(key in labels for key, _ in required.near):
        return False
    if all(tally.counts.get(labels[key], 0) > 0 for key, tally in required.near):
        return True
    # The first of its kind may start where nobody else of its kind runs yet.
    nobody = not any(count > 0 for _, tally in required.near for count in tally.counts.values())
    return nobody and all(tally.means(pod) for _, tally in required.near)


def _at(counts: dict[str, int], node: NodeInfo, key: str) -> int:
    value = node.view.labels.get(key)
    return 0 if value is None else counts.get(value, 0)


def _label(key: str) -> Callable[[NodeInfo], str | None]:
    return lambda node: node.view.labels.get(key)
