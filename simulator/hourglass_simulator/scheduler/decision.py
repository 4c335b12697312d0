"""Where a pod goes, or why it goes nowhere: kube-scheduler's scheduling cycle, without effects.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/schedule_one.go
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from random import Random

from hourglass_simulator.declared_features import needed
from hourglass_simulator.kubernetes.texts import Texts
from hourglass_simulator.kubernetes.version import DEFAULT
from hourglass_simulator.scheduler import fiterror, scores
from hourglass_simulator.scheduler.devices import NO_ALLOCATION, Allocation, PodDevices
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.placement import Placements
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.preemption import Preemption, preempt
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.status import (
    CONFLICTING,
    DYNAMIC_RESOURCES,
    FEATURES,
    NodeToStatus,
    PluginError,
    Status,
)
from hourglass_simulator.scheduler.topology import Changes, Topology
from hourglass_simulator.scheduler.volumes import NO_BINDINGS, Bindings, PodVolumes

SAMPLE = 100
"""So many nodes that fit are compared where the comparison looks at each.

kube-scheduler, too, compares a part of the nodes from 100 nodes on, of at least this size; it takes
the next ones in its list, this one those that would be best if other pods did not matter.
"""
_EQUALS = 8
"""Of so many equal nodes one is chosen where each node has to be looked at."""
UNSCHEDULABLE, ERROR = "Unschedulable", "SchedulerError"
"""Reasons of the condition PodScheduled."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A node, or the message why there is none.

    `bindings` and `allocation` are to be written before the pod is bound to the node.
    `nominated`: the node on which `victims` make room; "" takes an earlier nomination back, None
    leaves it. `rejected_by`: the plugins that kept the pod off nodes; none if there are no nodes.
    """

    node: str | None = None
    message: str = ""
    reason: str = UNSCHEDULABLE
    nominated: str | None = None
    victims: tuple[PodInfo, ...] = ()
    rejected_by: frozenset[str] = frozenset()
    bindings: Bindings = NO_BINDINGS
    allocation: Allocation = NO_ALLOCATION
    deallocate: str = ""
    """A ResourceClaim whose allocation keeps the pod off every node and serves nobody."""
    delete: str = ""
    """A ResourceClaim for extended resources that an earlier attempt has left."""


def schedule(
    pod: PodInfo,
    snapshot: Snapshot,
    placements: Placements,
    random: Random,
    texts: Texts = DEFAULT.texts,
) -> Decision:
    """Decide on one pod; the snapshot is only read. `random` chooses between equal nodes."""
    if not snapshot.nodes:
        return Decision(message=fiterror.NO_NODES, nominated="")
    try:
        return _Cycle(pod, snapshot, placements, random, texts).decide()
    except PluginError as error:
        return Decision(message=str(error), reason=ERROR, nominated="")


def _said(found: Preemption, texts: Texts) -> str:
    if not found.victims:
        return found.message
    return texts.preempting.format(node=found.nominated, victims=len(found.victims))


class _Cycle:
    """The scheduling cycle of one pod."""

    def __init__(
        self,
        pod: PodInfo,
        snapshot: Snapshot,
        placements: Placements,
        random: Random,
        texts: Texts,
    ) -> None:
        self._pod = pod
        self._texts = texts
        self._snapshot = snapshot
        self._random = random
        self._placement = placements.of(pod)
        self._filters = self._placement.filters
        self._topology = Topology(pod, snapshot, self._filters)
        self._volumes = PodVolumes(pod, snapshot)
        self._devices = PodDevices(pod, snapshot)
        self._features = needed(pod.spec, snapshot.version)
        # Nodes on which room is being made for others are filtered with those in their place.
        self._reserved = {
            name: yielding
            for name in snapshot.nominated()
            if name in snapshot.nodes and (yielding := snapshot.yields_to(pod, name))
        }

    def decide(self) -> Decision:
        """All extension points up to Reserve, or PostFilter."""
        status = self._pre_filter()
        if status is not None:
            return self._rejected_everywhere(status)
        node = self._choose()
        if node is not None:
            info = self._snapshot.nodes[node]
            return Decision(
                node=node,
                bindings=self._volumes.bindings(info),
                allocation=self._devices.allocation(info),
            )
        statuses = self._diagnosis()
        message = fiterror.message(statuses)
        rejected_by = frozenset(status.plugin for status in statuses.counts)
        devices = self._devices.post_filter(self._texts)
        if devices.error:
            message = f"{message} {devices.message}"
            return Decision(message=message, rejected_by=rejected_by)
        found = preempt(self._pod, self._snapshot, statuses, self._trial, self._random)
        return Decision(
            message=fiterror.with_preemption(message, devices.message, _said(found, self._texts)),
            nominated=found.nominated,
            victims=found.victims,
            rejected_by=rejected_by,
            deallocate=devices.deallocate,
            delete=devices.delete,
        )

    def _pre_filter(self) -> Status | None:
        """PreFilter in the order of the plugins."""
        if self._filters.names == frozenset():
            return CONFLICTING
        return self._volumes.pre_filter() or self._devices.pre_filter()

    def _rejected_everywhere(self, status: Status) -> Decision:
        nodes = len(self._snapshot.nodes)
        message = f"0/{nodes} nodes are available: {', '.join(status.reasons)}."
        rejected_by = frozenset((status.plugin,))
        devices = self._devices.post_filter(self._texts)
        if devices.error:
            return Decision(message=f"{message} {devices.message}", rejected_by=rejected_by)
        statuses = NodeToStatus()
        for name in self._snapshot.nodes:
            statuses.set(name, status)
        found = preempt(self._pod, self._snapshot, statuses, self._trial, self._random)
        return Decision(
            message=fiterror.with_preemption(message, devices.message, _said(found, self._texts)),
            nominated=found.nominated,
            victims=found.victims,
            rejected_by=rejected_by,
        )

    def _choose(self) -> str | None:
        """The best node that fits."""
        own = self._pod.nominated
        if own in self._snapshot.nodes and self._filter(own) is None:
            return own
        filters = bool(
            self._topology.required
            or self._reserved
            or self._volumes
            or self._devices
            or self._features
        )
        prefers = self._topology.prefers or self._devices.prefers
        if not filters and not prefers:
            return self._placement.best(self._random)
        if len(self._placement) <= SAMPLE:
            names = [n for n in self._placement.names() if not filters or self._filter(n) is None]
        elif not prefers:
            names = self._first_equals()
            return self._random.choice(names) if names else None
        else:
            ranked = (name for _, name in self._ranked())
            fitting = (n for n in ranked if self._filter(n) is None) if filters else ranked
            names = list(islice(fitting, SAMPLE))
        if len(names) < 2:
            return names[0] if names else None
        totals = self._totals(names)
        most = max(totals)
        best = [name for name, score in zip(names, totals, strict=True) if score == most]
        return best[0] if len(best) == 1 else self._random.choice(best)

    def _first_equals(self) -> list[str]:
        """The best node that fits with some that are as good."""
        found: list[str] = []
        least = None
        for score, name in self._ranked():
            if least is not None and (score > least or len(found) == _EQUALS):
                break
            if self._filter(name) is None:
                found.append(name)
                least = score
        return found

    def _totals(self, names: list[str]) -> list[int]:
        totals = self._placement.totals(names)
        if not (self._topology.prefers or self._devices.prefers):
            return totals
        nodes = [self._snapshot.nodes[name] for name in names]
        for plugin, given in self._among(nodes).items():
            weight = scores.WEIGHTS[plugin]
            totals = [total + weight * score for total, score in zip(totals, given, strict=True)]
        return totals

    def _among(self, nodes: list[NodeInfo]) -> dict[str, list[int]]:
        """Scores by plugin that depend on what else is there."""
        found = dict(self._topology.scores(nodes))
        if self._devices.prefers:
            found[DYNAMIC_RESOURCES] = self._devices.scores(nodes)
        return found

    def prioritize(self, names: list[str]) -> dict[str, dict[str, int]]:
        """The score that each plugin gives to nodes that fit."""
        placement = self._placement
        nodes = [self._snapshot.nodes[name] for name in names]
        relative = scores.normalised(placement.traits(name) for name in names)
        among = self._among(nodes)
        found = {}
        for i, node in enumerate(nodes):
            taints, affinity = relative[placement.traits(node.view.name)]
            found[node.view.name] = {
                "TaintToleration": taints,
                "NodeAffinity": affinity,
                **placement.scores(node),
                **{plugin: given[i] for plugin, given in among.items()},
            }
        return found

    def _ranked(self) -> Iterator[tuple[int, str]]:
        """The nodes that would fit if other pods did not matter, with their scores, negative."""
        return merge(*self._placement.ranked())

    def _diagnosis(self) -> NodeToStatus:
        """The status of every node, when none fits."""
        found, nodes = self._placement.statuses, self._snapshot.nodes
        if len(found) == len(nodes) and not self._reserved:
            return found
        found = found.copy()
        for name in nodes:
            if name not in found.by_node or name in self._reserved:
                found.set(name, self._filter(name))
        return found

    def _trial(self, node: NodeInfo, changes: Changes) -> Status | None:
        """The status of a changed node; None if it fits."""
        yielding = self._reserved.get(node.view.name)
        if yielding:
            status = self._after(_with(node, yielding), [*changes, *((p, 1) for p in yielding)])
            if status is not None:
                return status
        return self._after(node, changes)

    def _filter(self, name: str) -> Status | None:
        if name in self._reserved:
            return self._trial(self._snapshot.nodes[name], ())
        node = self._snapshot.nodes[name]
        return (
            self._placement.statuses.by_node.get(name)
            or (self._volumes.filter(node, ()) if self._volumes else None)
            or self._topology.filter(node)
            or (self._devices.filter(node) if self._devices else None)
            or self._lacking(node)
        )

    def _after(self, node: NodeInfo, changes: Changes) -> Status | None:
        return (
            self._filters.filter(node)
            or (self._volumes.filter(node, changes) if self._volumes else None)
            or self._topology.filter_after(node, changes)
            or (self._devices.filter(node) if self._devices else None)
            or self._lacking(node)
        )

    def _lacking(self, node: NodeInfo) -> Status | None:
        return None if self._features.issubset(node.view.features) else FEATURES


def node_scores(
    pod: PodInfo, snapshot: Snapshot, placements: Placements
) -> Mapping[str, Mapping[str, int]]:
    """What each plugin says of each node that fits, by name, as kube-scheduler logs it."""
    cycle = _Cycle(pod, snapshot, placements, Random(0), DEFAULT.texts)
    if cycle._pre_filter() is not None:
        return {}
    names = [name for name in snapshot.nodes if cycle._filter(name) is None]
    return cycle.prioritize(names) if len(names) > 1 else {}


def _with(node: NodeInfo, pods: list[PodInfo]) -> NodeInfo:
    copy = node.copy()
    for pod in pods:
        copy.add(pod)
    return copy
