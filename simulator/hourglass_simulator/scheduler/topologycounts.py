"""Counts of pods by topology value, kept up to date pod by pod."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.terms import Term


class TopologyCounts:
    """How many matching pods are in each topology value; nodes without a value do not count."""

    __slots__ = ("_value", "_zeros", "by_value", "matches")

    def __init__(
        self,
        matches: Callable[[PodInfo], bool],
        value: Callable[[NodeInfo], str | None],
        *,
        zeros: bool = False,
    ) -> None:
        """`zeros`: values without any such pod are listed, too."""
        self.by_value: dict[str, int] = {}
        self.matches = matches
        self._value = value
        self._zeros = zeros

    def begin(self, nodes: Iterable[NodeInfo]) -> None:
        """Count what is there."""
        for node in nodes:
            value = self._value(node)
            if value is None:
                continue
            if self._zeros:
                self.by_value.setdefault(value, 0)
            for pod in node.pods.values():
                if self.matches(pod):
                    self.by_value[value] = self.by_value.get(value, 0) + 1

    def add(self, pod: PodInfo, node: NodeInfo, sign: int) -> None:
        """A pod came to a node (1) or left it (-1)."""
        if self.matches(pod):
            value = self._value(node)
            if value is not None:
                self.by_value[value] = self.by_value.get(value, 0) + sign

    def moved(self, pods: Iterable[tuple[PodInfo, int]], node: NodeInfo) -> "TopologyCounts":
        """As it would be if pods came to a node or left it."""
        other = TopologyCounts(self.matches, self._value, zeros=self._zeros)
        other.by_value = dict(self.by_value)
        for pod, sign in pods:
            other.add(pod, node, sign)
        return other


class ExistingTerms:
    """The affinity terms of pods that are on nodes already, counted by topology value."""

    def __init__(self) -> None:
        self._anti_affinity: dict[Term, dict[str, int]] = {}
        self._preferences: dict[Term, dict[str, int]] = {}

    def count(self, node: NodeInfo, sign: int) -> None:
        """All pods of a node came (1) or left (-1)."""
        for pod in node.pods.values():
            self.add(pod, node, sign)

    def add(self, pod: PodInfo, node: NodeInfo, sign: int) -> None:
        """A pod came to a node (1) or left it (-1)."""
        terms = pod.terms
        if not terms:
            return
        for term in terms.anti_affinity:
            _add(self._anti_affinity, term, node, sign)
        for term in terms.affinity:
            _add(self._preferences, term, node, sign)
        for term, weight in terms.preferred:
            _add(self._preferences, term, node, sign * weight)

    def anti_affinity_counts(
        self, pod: PodInfo, namespaces: Mapping[str, Mapping[str, str]]
    ) -> Iterator[tuple[str, dict[str, int]]]:
        """Topology key and counts for each required anti-affinity that matches the pod."""
        for term, counts in self._anti_affinity.items():
            if term.selects(pod.namespace, pod.labels, namespaces):
                yield term.topology_key, counts

    def preference_weights(
        self, pod: PodInfo, namespaces: Mapping[str, Mapping[str, str]]
    ) -> Iterator[tuple[str, dict[str, int]]]:
        """Topology key and weights for each preference that matches the pod."""
        for term, weights in self._preferences.items():
            if term.selects(pod.namespace, pod.labels, namespaces):
                yield term.topology_key, weights


def _add(counts: dict[Term, dict[str, int]], term: Term, node: NodeInfo, change: int) -> None:
    value = node.view.labels.get(term.topology_key)
    if value is None:
        return
    by_value = counts.setdefault(term, {})
    by_value[value] = by_value.get(value, 0) + change
    if not by_value[value]:
        del by_value[value]
        if not by_value:
            del counts[term]
