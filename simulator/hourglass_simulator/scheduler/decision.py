"""Where a pod goes, or why it goes nowhere: kube-scheduler's scheduling cycle, without effects.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/schedule_one.go
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from hourglass_simulator.scheduler import verdict
from hourglass_simulator.scheduler.misfit import NODE_AFFINITY, Misfit, Misfits
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.placement import Placements
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.preemption import preempt
from hourglass_simulator.scheduler.snapshot import Snapshot
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
        return Decision(message=verdict.NO_NODES, nominated="")
    look = _Look(pod, snapshot, placements)
    if look.contradicts_itself:
        told = f"0/{len(snapshot.nodes)} nodes are available: {verdict.CONFLICT}"
        return Decision(message=told, rejected_by=frozenset((NODE_AFFINITY,)))
    node = look.choose()
    if node is not None:
        return Decision(node=node)
    misfits = look.misfits()
    found = preempt(pod, snapshot, misfits, look.trial)
    return Decision(
        message=verdict.with_preemption(verdict.sentence(misfits), found.told),
        nominated=found.nominated,
        victims=found.victims,
        rejected_by=frozenset(misfit.plugin for misfit in misfits.counts),
    )


class _Look:
    """One pod's look at the cluster."""

    def __init__(self, pod: PodInfo, snapshot: Snapshot, placements: Placements) -> None:
        self._pod = pod
        self._snapshot = snapshot
        self._placement = placements.of(pod)
        self._filters = self._placement.filters
        self._topology = Topology(pod, snapshot, self._filters)
        # Nodes on which room is being made for others are looked at with those in their place.
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
        """The best node that does."""
        own = self._pod.nominated
        if own in self._snapshot.nodes and self._misfit(own) is None:
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

    def misfits(self) -> Misfits:
        """Why each of the nodes does not do."""
        found, nodes = self._placement.misfits, self._snapshot.nodes
        if len(found) == len(nodes) and not self._reserved:
            return found
        found = found.copy()
        for name in nodes:
            if name not in found.by_node or name in self._reserved:
                found.set(name, self._misfit(name))
        return found

    def trial(self, node: NodeInfo, changes: Changes) -> Misfit | None:
        """Why a changed node does not do."""
        yielding = self._reserved.get(node.view.name)
        if yielding:
            misfit = self._after(_with(node, yielding), [*changes, *((p, 1) for p in yielding)])
            if misfit is not None:
                return misfit
        return self._after(node, changes)

    def _fitting(self) -> Iterator[str]:
        if not self._topology.required and not self._reserved:
            return self._placement.ranked()
        return (name for name in self._placement.ranked() if self._misfit(name) is None)

    def _misfit(self, name: str) -> Misfit | None:
        if name in self._reserved:
            return self.trial(self._snapshot.nodes[name], ())
        node = self._snapshot.nodes[name]
        return self._placement.misfits.by_node.get(name) or self._topology.misfit(node)

    def _after(self, node: NodeInfo, changes: Changes) -> Misfit | None:
        return self._filters.misfit(node) or self._topology.misfit_after(node, changes)


def _with(node: NodeInfo, pods: list[PodInfo]) -> NodeInfo:
    copy = node.copy()
    for pod in pods:
        copy.add(pod)
    return copy
