"""What the scheduler knows: nodes, the pods on them, and those that room is being made for."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.kubernetes.version import DEFAULT, Version
from hourglass_simulator.scheduler.defaultspread import ServiceSelectors
from hourglass_simulator.scheduler.deviceindex import DevicesInUse, SliceIndex
from hourglass_simulator.scheduler.extendedresources import ResourceClasses
from hourglass_simulator.scheduler.listers import Listers
from hourglass_simulator.scheduler.node import NodeInfo, node_info
from hourglass_simulator.scheduler.pod import PodInfo, counts_as
from hourglass_simulator.scheduler.topologycounts import ExistingTerms, TopologyCounts

_MAX_TOPOLOGY_COUNTS = 256
"""Tallies kept up to date; one that is not among the latest used is counted anew when needed."""


class Snapshot:
    """Changed by events, read by decisions."""

    def __init__(self, version: Version = DEFAULT) -> None:
        self.version = version
        self.nodes: dict[str, NodeInfo] = {}
        self.namespaces: dict[str, Mapping[str, str]] = {}
        """Labels by name."""
        self.node_of: dict[str, str] = {}
        """By uid of the pod."""
        self.existing_terms = ExistingTerms()
        """What pods on nodes say of others."""
        self.changes: list[str] = []
        """Names of nodes that changed, oldest first, since `era` began."""
        self.era = 0
        self.listers = Listers()
        self.services = ServiceSelectors()
        self.slices = SliceIndex()
        self.devices_in_use = DevicesInUse()
        self.resource_classes = ResourceClasses()
        """Extended resources that device classes serve."""
        self.never_bound: set[str] = set()
        """Uids of claims whose devices were waited for in vain."""
        self.nodes_with_image: Counter[str] = Counter()
        """On how many nodes an image is, by name."""
        self.images_era = 0
        """Changes with what ImageLocality compares nodes by."""
        self.claim_users: Counter[tuple[str, str]] = Counter()
        """Pods on nodes by the claim that they use: namespace and name."""
        self._held: dict[tuple[str, str], JSON] = {}
        self._nominated: dict[str, dict[str, PodInfo]] = {}
        self._homeless: dict[str, dict[str, PodInfo]] = {}
        self._priorities: Counter[int] = Counter()
        self._topology_counts: dict[str, TopologyCounts] = {}
        self._with_label: dict[str, int] = {}
        self._by_label: dict[str, dict[tuple[str, str], dict[str, str]]] = {}

    def set_node(self, view: NodeView, images: Mapping[str, int] | None = None) -> NodeInfo | None:
        """A node as it is now; returns what it was, or None if it is new."""
        name, before, after = view.name, self.nodes.get(view.name), node_info(view, images)
        pods = before.pods if before is not None else self._homeless.pop(name, {})
        if before is not None:
            self.existing_terms.count(before, -1)
        for pod in pods.values():
            after.add(pod)
        self.nodes[name] = after
        self._count_images(before, after)
        self.existing_terms.count(after, 1)
        if before is None or _moved(before.view, view):
            self._topology_changed(name)
        else:
            self._changed(name)
        return before

    def remove_node(self, name: str) -> NodeInfo | None:
        """A node is gone; its pods are remembered in case it comes back."""
        before = self.nodes.pop(name, None)
        if before is not None:
            self.existing_terms.count(before, -1)
            self._homeless[name] = before.pods
            self._count_images(before, None)
            self._topology_changed(name)
        return before

    def set_namespace(self, name: str, labels: Mapping[str, str]) -> None:
        """The labels of a namespace, which affinity terms may select by."""
        if self.namespaces.get(name) != labels:
            self.namespaces[name] = labels
            self._topology_counts.clear()

    def apply(self, resource: str, event: WatchEvent) -> JSON | None:
        """Take a change of what plugins look up in; returns the object before it."""
        before = self.listers[resource].apply(event)
        if resource == "services":
            self.services.apply(event)
        elif resource == "resourceslices":
            self.slices.apply(event)
        elif resource == "resourceclaims":
            after = None if event.type == "DELETED" else event.object
            self.devices_in_use.replace(before, after)
            if not ((after or {}).get("status") or {}).get("allocation"):
                self.never_bound.discard(event.object["metadata"]["uid"])
        elif (
            resource == "deviceclasses"
            and self.version.enabled("DRAExtendedResource")
            and self.resource_classes.apply(event, before)
        ):
            self._all_changed()
        return before

    def hold(self, namespace: str, name: str, allocation: JSON) -> None:
        """A claim is going to have an allocation that is not written yet."""
        self._held[namespace, name] = {"status": {"allocation": allocation}}
        self.devices_in_use.replace(None, self._held[namespace, name])

    def release(self, namespace: str, name: str) -> None:
        """The allocation is written, or never will be."""
        self.devices_in_use.replace(self._held.pop((namespace, name), None), None)

    def is_held(self, namespace: str, name: str) -> bool:
        """Whether a claim is going to have an allocation."""
        return (namespace, name) in self._held

    def place(self, pod: PodInfo, node: str) -> None:
        """A pod is on a node."""
        self.remove(pod.uid)
        self.node_of[pod.uid] = node
        self._priorities[pod.priority] += 1
        for claim in pod.volume_claims:
            self.claim_users[pod.namespace, claim] += 1
        info = self.nodes.get(node)
        if info is None:
            self._homeless.setdefault(node, {})[pod.uid] = pod
            return
        info.add(pod)
        self._count(pod, info, 1)
        self._changed(node)

    def update(self, pod: PodInfo) -> None:
        """A pod that is on a node has changed."""
        node = self.node_of[pod.uid]
        info = self.nodes.get(node)
        if info is not None and counts_as(pod, info.pods[pod.uid]):
            info.replace(pod)
        else:
            self.place(pod, node)

    def remove(self, uid: str) -> PodInfo | None:
        """A pod is on no node any more; None if it was on none."""
        node = self.node_of.pop(uid, None)
        if node is None:
            return None
        info = self.nodes.get(node)
        if info is None:
            pod = self._homeless[node].pop(uid)
        else:
            pod = info.remove(uid)
            self._count(pod, info, -1)
            self._changed(node)
        self._priorities[pod.priority] -= 1
        for claim in pod.volume_claims:
            self.claim_users[pod.namespace, claim] -= 1
        return pod

    def find(self, uid: str) -> PodInfo:
        """A pod that is on a node."""
        node = self.node_of[uid]
        info = self.nodes.get(node)
        return self._homeless[node][uid] if info is None else info.pods[uid]

    def nominate(self, pod: PodInfo, node: str) -> None:
        """Room is being made for a pod on a node; "" for no node."""
        for name in [n for n, pods in self._nominated.items() if pod.uid in pods]:
            del self._nominated[name][pod.uid]
            if not self._nominated[name]:
                del self._nominated[name]
        if node:
            self._nominated.setdefault(node, {})[pod.uid] = pod

    def nominated(self) -> list[str]:
        """Nodes on which room is being made."""
        return sorted(self._nominated)

    def yields_to(self, pod: PodInfo, node: str) -> list[PodInfo]:
        """Other pods, not less important, that room is being made for on a node."""
        waiting = self._nominated.get(node)
        if not waiting:
            return []
        return [p for p in waiting.values() if p.priority >= pod.priority and p.uid != pod.uid]

    def less_important_on(self, pod: PodInfo, node: str) -> list[PodInfo]:
        """Less important pods that room was being made for on a node."""
        waiting = self._nominated.get(node, {})
        return [other for other in waiting.values() if other.priority < pod.priority]

    def any_less_important(self, pod: PodInfo) -> bool:
        """Whether a pod of lower priority is on any node."""
        return any(count and p < pod.priority for p, count in self._priorities.items())

    def pods(self) -> Iterator[tuple[PodInfo, NodeInfo]]:
        """Every pod with its node."""
        for info in self.nodes.values():
            for pod in info.pods.values():
                yield pod, info

    def nodes_with_label(self, key: str) -> int:
        """How many nodes have a label."""
        if key not in self._with_label:
            self._with_label[key] = sum(key in n.view.labels for n in self.nodes.values())
        return self._with_label[key]

    def labelled(self, namespace: str, key: str, value: str) -> Mapping[str, str]:
        """Pods of a namespace with a label: their nodes by uid.

        Kept for each key that has been asked for.
        """
        if key not in self._by_label:
            self._by_label[key] = {}
            for pod, node in self.pods():
                self._index(pod, node.view.name, (key,))
        return self._by_label[key].get((namespace, value), {})

    def _index(self, pod: PodInfo, node: str, keys: Iterable[str]) -> None:
        for key in keys:
            if key in pod.labels:
                where = (pod.namespace, pod.labels[key])
                self._by_label[key].setdefault(where, {})[pod.uid] = node

    def topology_counts(self, key: str, make: Callable[[], TopologyCounts]) -> TopologyCounts:
        """The counts of that key, counted once and then kept up to date."""
        counts = self._topology_counts.pop(key, None)
        if counts is None:
            counts = make()
            counts.begin(self.nodes.values())
        self._topology_counts[key] = counts
        if len(self._topology_counts) > _MAX_TOPOLOGY_COUNTS:
            del self._topology_counts[next(iter(self._topology_counts))]
        return counts

    def _count(self, pod: PodInfo, info: NodeInfo, sign: int) -> None:
        if sign > 0:
            self._index(pod, info.view.name, self._by_label)
        else:
            for key, found in self._by_label.items():
                if key in pod.labels:
                    where = (pod.namespace, pod.labels[key])
                    del found[where][pod.uid]
                    if not found[where]:
                        del found[where]
        self.existing_terms.add(pod, info, sign)
        for counts in self._topology_counts.values():
            counts.add(pod, info, sign)

    def _count_images(self, before: NodeInfo | None, after: NodeInfo | None) -> None:
        old = before.images if before is not None else {}
        new = after.images if after is not None else {}
        if (before is None) != (after is None) or old != new:
            self.images_era += 1
        for name in old:
            self.nodes_with_image[name] -= 1
            if not self.nodes_with_image[name]:
                del self.nodes_with_image[name]
        for name in new:
            self.nodes_with_image[name] += 1

    def _topology_changed(self, node: str) -> None:
        self._topology_counts.clear()
        self._with_label.clear()
        self._by_label.clear()
        self._changed(node)

    def _changed(self, node: str) -> None:
        if len(self.changes) > 4 * len(self.nodes) + 100_000:
            self._all_changed()
        self.changes.append(node)

    def _all_changed(self) -> None:
        self.changes.clear()
        self.era += 1


def _moved(before: NodeView, after: NodeView) -> bool:
    """Whether a node counts in other topologies now, or for other pods."""
    return before.labels != after.labels or before.taints != after.taints
