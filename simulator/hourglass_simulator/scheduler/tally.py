"""Counts of pods by topology value, kept up to date pod by pod."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.terms import Term


class Tally:
    """How many of the pods that are meant are in each topology value; without a value: nowhere."""

    __slots__ = ("_value", "_zeros", "counts", "means")

    def __init__(
        self,
        means: Callable[[PodInfo], bool],
        value: Callable[[NodeInfo], str | None],
        *,
        zeros: bool = False,
    ) -> None:
        """`zeros`: values without any such pod are listed, too."""
        self.counts: dict[str, int] = {}
        self.means = means
        self._value = value
        self._zeros = zeros

    def begin(self, nodes: Iterable[NodeInfo]) -> None:
        """Count what is there."""
        for node in nodes:
            value = self._value(node)
            if value is None:
                continue
            if self._zeros:
                self.counts.setdefault(value, 0)
            for pod in node.pods.values():
                if self.means(pod):
                    self.counts[value] = self.counts.get(value, 0) + 1

    def add(self, pod: PodInfo, node: NodeInfo, sign: int) -> None:
        """A pod came to a node (1) or left it (-1)."""
        if self.means(pod):
            value = self._value(node)
            if value is not None:
                self.counts[value] = self.counts.get(value, 0) + sign

    def moved(self, pods: Iterable[tuple[PodInfo, int]], node: NodeInfo) -> "Tally":
        """As it would be if pods came to a node or left it."""
        other = Tally(self.means, self._value, zeros=self._zeros)
        other.counts = dict(self.counts)
        for pod, sign in pods:
            other.add(pod, node, sign)
        return other


class Wishes:
    """What pods on nodes say of other pods, by topology value."""

    def __init__(self) -> None:
        self._apart: dict[Term, dict[str, int]] = {}
        self._weighed: dict[Term, dict[str, int]] = {}

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
            _add(self._apart, term, node, sign)
        for term in terms.affinity:
            _add(self._weighed, term, node, sign)
        for term, weight in terms.preferred:
            _add(self._weighed, term, node, sign * weight)

    def against(
        self, pod: PodInfo, namespaces: Mapping[str, Mapping[str, str]]
    ) -> Iterator[tuple[str, dict[str, int]]]:
        """Topology key and counts for each required anti-affinity that means the pod."""
        for term, counts in self._apart.items():
            if term.selects(pod.namespace, pod.labels, namespaces):
                yield term.topology_key, counts

    def about(
        self, pod: PodInfo, namespaces: Mapping[str, Mapping[str, str]]
    ) -> Iterator[tuple[str, dict[str, int]]]:
        """Topology key and weights for each preference that means the pod."""
        for term, weights in self._weighed.items():
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
