"""Whether a pod fits a node: the filter plugins in kube-scheduler's order, with their sentences.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/scheduler/framework/plugins
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hourglass_operator.kube import affinity, selector, toleration
from hourglass_operator.kube.node import NodeView, Taint
from hourglass_simulator.scheduler.snapshot import JSON, PODS, NodeInfo, PodInfo

_UNSCHEDULABLE_TAINT = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a node does not do; `resolvable`: removing pods from it might help."""

    reasons: tuple[str, ...]
    resolvable: bool


_UNSCHEDULABLE = Misfit(("node(s) were unschedulable",), resolvable=False)
_TAINTED = Misfit(("node(s) had untolerated taint(s)",), resolvable=False)
_WRONG_NODE = Misfit(("node(s) didn't match the requested node name",), resolvable=False)
_UNMATCHED = Misfit(("node(s) didn't match Pod's node affinity/selector",), resolvable=False)
_PORTS = Misfit(("node(s) didn't have free ports for the requested pod ports",), resolvable=True)
_SPREAD = Misfit(("node(s) didn't match pod topology spread constraints",), resolvable=True)
_SPREAD_LABEL = Misfit(
    ("node(s) didn't match pod topology spread constraints (missing required label)",),
    resolvable=False,
)
_AFFINITY = Misfit(("node(s) didn't match pod affinity rules",), resolvable=False)
_ANTI_AFFINITY = Misfit(("node(s) didn't match pod anti-affinity rules",), resolvable=True)
_EXISTING_ANTI_AFFINITY = Misfit(
    ("node(s) didn't satisfy existing pods anti-affinity rules",), resolvable=True
)


class Filters:
    """The filters for one pod, compiled once for any number of nodes."""

    def __init__(self, pod: PodInfo) -> None:
        self._pod = pod
        self._tolerations = pod.spec.get("tolerations") or []
        self._permits: Callable[[NodeView], bool] = affinity.compile_pod(pod.spec)
        self._tolerates_unschedulable = any(
            toleration.tolerates(t, _UNSCHEDULABLE_TAINT) for t in self._tolerations
        )

    def static(self, node: NodeInfo) -> Misfit | None:
        """What no change of pods can mend: the node itself."""
        view = node.view
        if view.unschedulable and not self._tolerates_unschedulable:
            return _UNSCHEDULABLE
        wanted = self._pod.spec.get("nodeName")
        if wanted and wanted != view.name:
            return _WRONG_NODE
        if view.taints and toleration.untolerated(self._tolerations, view.taints):
            return _TAINTED
        return None if self._permits(view) else _UNMATCHED

    def dynamic(self, node: NodeInfo) -> Misfit | None:
        """What the pods on the node take."""
        if any(node.ports.get(port) for port in self._pod.host_ports):
            return _PORTS
        return self._resources(node)

    def _resources(self, node: NodeInfo) -> Misfit | None:
        free, requested = node.allocatable, node.requested
        reasons: list[str] = []
        resolvable = True
        if len(node.pods) + 1 > free.get(PODS, 0):
            reasons.append("Too many pods")
        for resource, count in self._pod.requests.items():
            total = free.get(resource, 0)
            if count > 0 and count > total - requested.get(resource, 0):
                reasons.append(f"Insufficient {resource}")
                resolvable = resolvable and count <= total
        return Misfit(tuple(reasons), resolvable) if reasons else None


def constrained(pod: PodInfo) -> bool:
    """Whether other pods, on whatever node, decide where the pod may go."""
    own = pod.spec.get("affinity") or {}
    return bool(
        _required(own, "podAffinity") or _required(own, "podAntiAffinity") or _hard_spread(pod.spec)
    )


def topology(pod: PodInfo, node: NodeInfo, nodes: Iterable[NodeInfo]) -> Misfit | None:
    """PodTopologySpread and InterPodAffinity, which look at pods all over the cluster."""
    everywhere = list(nodes)
    for constraint in _hard_spread(pod.spec):
        misfit = _spread(pod, node, everywhere, constraint)
        if misfit is not None:
            return misfit
    own = pod.spec.get("affinity") or {}
    for term in _required(own, "podAffinity"):
        if not _near(pod, term, node, everywhere) and not _first_of_its_kind(pod, term, everywhere):
            return _AFFINITY
    for term in _required(own, "podAntiAffinity"):
        if _near(pod, term, node, everywhere):
            return _ANTI_AFFINITY
    return None


def repelled(pod: PodInfo, node: NodeInfo, repelling: Iterable[tuple[PodInfo, NodeInfo]]) -> bool:
    """Whether a pod with required anti-affinity in the node's topology wants it elsewhere."""
    for other, its_node in repelling:
        for term in _required(other.spec.get("affinity") or {}, "podAntiAffinity"):
            key = term["topologyKey"]
            here = node.view.labels.get(key)
            near = here is not None and here == its_node.view.labels.get(key)
            if near and _selects(other, term, pod):
                return True
    return False


def repels(pod: PodInfo) -> bool:
    """Whether a pod has required anti-affinity."""
    return bool(_required(pod.spec.get("affinity") or {}, "podAntiAffinity"))


EXISTING_ANTI_AFFINITY = _EXISTING_ANTI_AFFINITY


def _required(own: JSON, kind: str) -> list[JSON]:
    return list((own.get(kind) or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or ())


def _hard_spread(spec: JSON) -> list[JSON]:
    constraints = spec.get("topologySpreadConstraints") or ()
    return [c for c in constraints if c.get("whenUnsatisfiable") == "DoNotSchedule"]


def _selects(of: PodInfo, term: JSON, other: PodInfo) -> bool:
    namespaces = term.get("namespaces") or [of.namespace]
    return other.namespace in namespaces and selector.matches(
        term.get("labelSelector"), other.labels
    )


def _near(pod: PodInfo, term: JSON, node: NodeInfo, nodes: list[NodeInfo]) -> bool:
    """Whether a pod that the term selects runs in the same topology as the node."""
    key = term["topologyKey"]
    here = node.view.labels.get(key)
    return here is not None and any(
        _selects(pod, term, other)
        for one in nodes
        if one.view.labels.get(key) == here
        for other in one.pods.values()
    )


def _first_of_its_kind(pod: PodInfo, term: JSON, nodes: list[NodeInfo]) -> bool:
    """A pod that selects itself may start where nobody else of its kind runs yet."""
    return _selects(pod, term, pod) and not any(
        _selects(pod, term, other) for node in nodes for other in node.pods.values()
    )


def _spread(pod: PodInfo, node: NodeInfo, nodes: list[NodeInfo], constraint: JSON) -> Misfit | None:
    key = constraint["topologyKey"]
    here = node.view.labels.get(key)
    if here is None:
        return _SPREAD_LABEL
    permits = affinity.compile_pod(pod.spec)
    chosen = constraint.get("labelSelector")
    counts: dict[str, int] = {}
    for one in nodes:
        value = one.view.labels.get(key)
        if value is None or not permits(one.view):
            continue
        matching = sum(
            other.namespace == pod.namespace
            and not other.terminating
            and selector.matches(chosen, other.labels)
            for other in one.pods.values()
        )
        counts[value] = counts.get(value, 0) + matching
    own = int(selector.matches(chosen, pod.labels))
    skew = counts.get(here, 0) + own - min(counts.values(), default=0)
    return _SPREAD if skew > constraint["maxSkew"] else None
