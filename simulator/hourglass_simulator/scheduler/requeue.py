"""Which changes may help a pod that was rejected: the queueing hints of the filter plugins.

https://github.com/kubernetes/enhancements/tree/master/keps/sig-scheduling/4247-queueinghint
Each function follows the plugin's `isSchedulableAfter…` in
https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/scheduler/framework/plugins
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_simulator.scheduler import status
from hourglass_simulator.scheduler.filters import Filters
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.terms import Term

CHANGES_HELP = {
    "persistentvolumeclaims": (
        status.VOLUME_RESTRICTIONS,
        status.NODE_VOLUME_LIMITS,
        status.VOLUME_BINDING,
        status.VOLUME_ZONE,
    ),
    "persistentvolumes": (status.VOLUME_BINDING, status.VOLUME_ZONE),
    "storageclasses": (status.VOLUME_BINDING, status.VOLUME_ZONE),
    "csinodes": (status.NODE_VOLUME_LIMITS, status.VOLUME_BINDING),
    "csistoragecapacities": (status.VOLUME_BINDING,),
    "resourceclaims": (status.DYNAMIC_RESOURCES,),
    "resourceslices": (status.DYNAMIC_RESOURCES,),
    "deviceclasses": (status.DYNAMIC_RESOURCES, status.NODE_RESOURCES_FIT),
    "devicetaintrules": (status.DYNAMIC_RESOURCES,),
}
"""Resources, and the plugins that may find room when one of their objects is new or changes."""
_OF_NODES = frozenset((status.VOLUME_BINDING, status.VOLUME_ZONE, status.DYNAMIC_RESOURCES))
"""Plugins that look at the labels of nodes."""
_OF_NEW_NODES = _OF_NODES | {status.VOLUME_RESTRICTIONS, status.NODE_VOLUME_LIMITS}
"""Plugins that a new node may help against."""

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
            or (bool(by & _OF_NEW_NODES) and before is None)
            or (bool(by & _OF_NODES) and before is not None and _changed(before, after))
            or (
                status.NODE_DECLARED_FEATURES in by
                and (before is None or before.view.features != after.view.features)
            )
            or (status.DYNAMIC_RESOURCES in by and self._has_a_plugin_now(before, after))
        )

    def helped_by_object(self, resource: str, before: JSON | None, after: JSON | None) -> bool:
        """Whether an object of CHANGES_HELP that is new, changed or gone may make one fit."""
        if self.by.isdisjoint(CHANGES_HELP[resource]):
            return False
        if resource == "resourceclaims" and _was_freed(before, after):
            return True
        if resource == "devicetaintrules":
            return True
        if after is None:
            return False
        meta = after["metadata"]
        if resource == "deviceclasses" and status.DYNAMIC_RESOURCES not in self.by:
            return self.filters.served_by(before, after)
        if resource == "persistentvolumeclaims":
            pod = self.pod
            return meta["namespace"] == pod.namespace and meta["name"] in pod.volume_claims
        if resource == "resourceclaims":
            mine = any(name == meta["name"] for _, name in self.pod.resource_claims)
            new = before is None or before.get("status") != after.get("status")
            return mine and meta["namespace"] == self.pod.namespace and new
        if resource == "storageclasses" and before is not None:
            return before.get("allowedTopologies") != after.get("allowedTopologies")
        return True

    def helped_by_leaving(
        self, other: PodInfo, namespaces: Namespaces, *, mutual: bool = False
    ) -> bool:
        """Whether a pod that left its node may make one of them fit.

        `mutual`: also where it was the other pod that wanted to be apart from them.
        """
        return (
            status.NODE_RESOURCES_FIT in self.by
            or (status.NODE_PORTS in self.by and self.filters.clashes(other.ports))
            or (status.POD_TOPOLOGY_SPREAD in self.by and self._counts(other))
            or (
                status.VOLUME_RESTRICTIONS in self.by and bool(_disks(other) or self._shares(other))
            )
            or (status.NODE_VOLUME_LIMITS in self.by and bool(other.volume_claims))
            or (
                status.INTER_POD_AFFINITY in self.by
                and (
                    _any_selects(self.pod.terms.anti_affinity, other, namespaces)
                    or _any_selects(other.terms.anti_affinity, self.pod, namespaces)
                    if mutual
                    else _all_select(self.pod.terms.anti_affinity, other, namespaces)
                )
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

    def _has_a_plugin_now(self, before: NodeInfo | None, after: NodeInfo) -> bool:
        """Whether a device plugin offers what only DynamicResources could serve."""
        return before is not None and any(
            after.allocatable.get(resource) and not before.allocatable.get(resource)
            for resource in self.filters.served
        )

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

    def _shares(self, other: PodInfo) -> bool:
        mine = set(self.pod.volume_claims)
        return other.namespace == self.pod.namespace and not mine.isdisjoint(other.volume_claims)

    def _counts(self, other: PodInfo) -> bool:
        return other.namespace == self.pod.namespace and any(
            constraint.selects(other.labels) for constraint in self.pod.terms.spread
        )


def _disks(pod: PodInfo) -> bool:
    return any(not volume.keys() & _CLAIMS for volume in pod.spec.get("volumes") or ())


_CLAIMS = {"persistentVolumeClaim", "ephemeral"}


def _changed(before: NodeInfo, after: NodeInfo) -> bool:
    old, new = before.view, after.view
    return old.labels != new.labels or old.taints != new.taints


def _was_freed(before: JSON | None, after: JSON | None) -> bool:
    """Whether the devices of a claim are free for others now."""
    held = ((before or {}).get("status") or {}).get("allocation") is not None
    return held and ((after or {}).get("status") or {}).get("allocation") is None


def _uncordoned(before: NodeInfo | None, after: NodeInfo) -> bool:
    return (before is None or before.view.unschedulable) and not after.view.unschedulable


def _relabelled(before: NodeView, after: NodeView, keys: Iterable[str]) -> bool:
    return any(before.labels.get(key) != after.labels.get(key) for key in keys)


def _all_select(terms: tuple[Term, ...], pod: PodInfo, namespaces: Namespaces) -> bool:
    return bool(terms) and all(t.selects(pod.namespace, pod.labels, namespaces) for t in terms)


def _any_selects(terms: tuple[Term, ...], pod: PodInfo, namespaces: Namespaces) -> bool:
    return any(t.selects(pod.namespace, pod.labels, namespaces) for t in terms)
