"""Which changes may help a pod that was rejected: the queueing hints of the filter plugins.

https://github.com/kubernetes/enhancements/tree/master/keps/sig-scheduling/4247-queueinghint
Each function follows the plugin's `isSchedulableAfter…` in
https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/scheduler/framework/plugins
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hourglass_kube.node import NodeView
from hourglass_simulator.scheduler import status
from hourglass_simulator.scheduler.filters import Filters
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.terms import Term

Namespaces = Mapping[str, Mapping[str, str]]


@dataclass(slots=True)
class Rejected:
    """Pods alike that the same plugins rejected: what helps one may help all."""

    pod: PodInfo
    by: frozenset[str]
    filters: Filters
    uids: dict[str, None] = field(default_factory=dict)

    def helped_by_node(self, before: NodeInfo | None, after: NodeInfo | None) -> bool:
        """Whether a node that is new, changed or gone may make one of them fit."""
        by = self.by
        if status.POD_TOPOLOGY_SPREAD in by and self._spreads_anew(before, after):
            return True
        if after is None:
            return False
        return (
            (status.NODE_UNSCHEDULABLE in by and _uncordoned(before, after))
            or (status.TAINT_TOLERATION in by and self._tolerates_now(before, after))
            or (status.NODE_AFFINITY in by and self._permits_now(before, after))
            or (status.NODE_PORTS in by and before is None)
            or (status.NODE_RESOURCES_FIT in by and self._gains(before, after))
            or (status.INTER_POD_AFFINITY in by and self._moved(before, after))
        )

    def helped_by_leaving(self, other: PodInfo, namespaces: Namespaces) -> bool:
        """Whether a pod that left its node may make one of them fit."""
        return (
            status.NODE_RESOURCES_FIT in self.by
            or (status.NODE_PORTS in self.by and self.filters.clashes(other.ports))
            or (status.POD_TOPOLOGY_SPREAD in self.by and self._counts(other))
            or (
                status.INTER_POD_AFFINITY in self.by
                and _all_select(self.pod.terms.anti_affinity, other, namespaces)
            )
        )

    def helped_by_arrival(self, other: PodInfo, namespaces: Namespaces) -> bool:
        """Whether a pod that came to a node may make one of them fit."""
        return (status.POD_TOPOLOGY_SPREAD in self.by and self._counts(other)) or (
            status.INTER_POD_AFFINITY in self.by
            and _all_select(self.pod.terms.affinity, other, namespaces)
        )

    def _tolerates_now(self, before: NodeInfo | None, after: NodeInfo) -> bool:
        did = before is not None and self.filters.tolerates(before.view)
        return not did and self.filters.tolerates(after.view)

    def _permits_now(self, before: NodeInfo | None, after: NodeInfo) -> bool:
        did = before is not None and self.filters.permits(before.view)
        return not did and self.filters.permits(after.view)

    def _gains(self, before: NodeInfo | None, after: NodeInfo) -> bool:
        if not self.filters.fits_empty(after):
            return False
        return before is None or self.filters.gains(before, after)

    def _spreads_anew(self, before: NodeInfo | None, after: NodeInfo | None) -> bool:
        keys = [constraint.topology_key for constraint in self.pod.terms.spread]
        old = before is not None and all(key in before.view.labels for key in keys)
        new = after is not None and all(key in after.view.labels for key in keys)
        if old != new or before is None or after is None:
            return old or new
        return new and (
            _relabelled(before.view, after.view, keys) or before.view.taints != after.view.taints
        )

    def _moved(self, before: NodeInfo | None, after: NodeInfo) -> bool:
        near = [term.topology_key for term in self.pod.terms.affinity]
        apart = [term.topology_key for term in self.pod.terms.anti_affinity]
        if before is None:
            return bool(apart) or any(key in after.view.labels for key in near)
        old, new = before.view.labels, after.view.labels
        return any(key in new and old.get(key) != new[key] for key in near) or any(
            key in old and old[key] != new.get(key) for key in apart
        )

    def _counts(self, other: PodInfo) -> bool:
        return other.namespace == self.pod.namespace and any(
            constraint.selects(other.labels) for constraint in self.pod.terms.spread
        )


def _uncordoned(before: NodeInfo | None, after: NodeInfo) -> bool:
    return (before is None or before.view.unschedulable) and not after.view.unschedulable


def _relabelled(before: NodeView, after: NodeView, keys: Iterable[str]) -> bool:
    return any(before.labels.get(key) != after.labels.get(key) for key in keys)


def _all_select(terms: tuple[Term, ...], pod: PodInfo, namespaces: Namespaces) -> bool:
    return bool(terms) and all(t.selects(pod.namespace, pod.labels, namespaces) for t in terms)
