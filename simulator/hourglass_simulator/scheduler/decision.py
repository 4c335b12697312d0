"""Where a pod goes, or why it goes nowhere: kube-scheduler's scheduling cycle, without effects.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/schedule_one.go
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from hourglass_simulator.scheduler import fiterror
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.placement import Placements
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.preemption import preempt
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.status import NODE_AFFINITY, NodeToStatus, Status
from hourglass_simulator.scheduler.topology import Changes, Topology

SAMPLE = 100
"""So many of the best nodes are compared by preferences about other pods.

kube-scheduler scores a sample of the nodes, too, from 100 nodes on.
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """A node, or the message why there is none.

    `nominated`: the node on which `victims` make room; "" takes an earlier nomination back, None
    leaves it. `rejected_by`: the plugins that kept the pod off nodes; none if there are no nodes.
    """

    node: str | None = None
    message: str = ""
    nominated: str | None = None
    victims: tuple[PodInfo, ...] = ()
    rejected_by: frozenset[str] = frozenset()


def schedule(pod: PodInfo, snapshot: Snapshot, placements: Placements) -> Decision:
    """Decide on one pod; the snapshot is only read."""
    if not snapshot.nodes:
        return Decision(message=fiterror.NO_NODES, nominated="")
    cycle = _Cycle(pod, snapshot, placements)
    if cycle.contradicts_itself:
        message = f"0/{len(snapshot.nodes)} nodes are available: {fiterror.CONFLICT}"
        return Decision(message=message, rejected_by=frozenset((NODE_AFFINITY,)))
    node = cycle.choose()
    if node is not None:
        return Decision(node=node)
    statuses = cycle.diagnosis()
    found = preempt(pod, snapshot, statuses, cycle.trial)
    return Decision(
        message=fiterror.with_preemption(fiterror.message(statuses), found.message),
        nominated=found.nominated,
        victims=found.victims,
        rejected_by=frozenset(status.plugin for status in statuses.counts),
    )


class _Cycle:
    """The scheduling cycle of one pod."""

    def __init__(self, pod: PodInfo, snapshot: Snapshot, placements: Placements) -> None:
        self._pod = pod
        self._snapshot = snapshot
        self._placement = placements.of(pod)
        self._filters = self._placement.filters
        self._topology = Topology(pod, snapshot, self._filters)
        # Nodes on which room is being made for others are filtered with those in their place.
        self._reserved = {
            name: yielding
            for name in snapshot.nominated()
            if name in snapshot.nodes and (yielding := snapshot.yields_to(pod, name))
        }

    @property
    def contradicts_itself(self) -> bool:
        """The required node affinity names nodes that exclude each other."""
        return self._filters.names == frozenset()

    def choose(self) -> str | None:
        """The best node that fits."""
        own = self._pod.nominated
        if own in self._snapshot.nodes and self._filter(own) is None:
            return own
        fitting = self._fitting()
        if not self._topology.prefers:
            return next(fitting, None)
        names = list(islice(fitting, SAMPLE))
        if len(names) < 2:
            return names[0] if names else None
        nodes = [self._snapshot.nodes[name] for name in names]
        extra = self._topology.scores(nodes)
        totals = [self._placement.score(n) + e for n, e in zip(names, extra, strict=True)]
        return names[totals.index(max(totals))]

    def diagnosis(self) -> NodeToStatus:
        """The status of every node, when none fits."""
        found, nodes = self._placement.statuses, self._snapshot.nodes
        if len(found) == len(nodes) and not self._reserved:
            return found
        found = found.copy()
        for name in nodes:
            if name not in found.by_node or name in self._reserved:
                found.set(name, self._filter(name))
        return found

    def trial(self, node: NodeInfo, changes: Changes) -> Status | None:
        """The status of a changed node; None if it fits."""
        yielding = self._reserved.get(node.view.name)
        if yielding:
            status = self._after(_with(node, yielding), [*changes, *((p, 1) for p in yielding)])
            if status is not None:
                return status
        return self._after(node, changes)

    def _fitting(self) -> Iterator[str]:
        if not self._topology.required and not self._reserved:
            return self._placement.ranked()
        return (name for name in self._placement.ranked() if self._filter(name) is None)

    def _filter(self, name: str) -> Status | None:
        if name in self._reserved:
            return self.trial(self._snapshot.nodes[name], ())
        node = self._snapshot.nodes[name]
        return self._placement.statuses.by_node.get(name) or self._topology.filter(node)

    def _after(self, node: NodeInfo, changes: Changes) -> Status | None:
        return self._filters.filter(node) or self._topology.filter_after(node, changes)


def _with(node: NodeInfo, pods: list[PodInfo]) -> NodeInfo:
    copy = node.copy()
    for pod in pods:
        copy.add(pod)
    return copy
