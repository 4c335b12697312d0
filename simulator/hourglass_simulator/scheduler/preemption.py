"""Which pods of lower priority would have to go for a pod to fit.

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from collections.abc import Mapping
from copy import copy

from hourglass_simulator.scheduler.filters import Misfit
from hourglass_simulator.scheduler.placement import Placement
from hourglass_simulator.scheduler.snapshot import NodeInfo, PodInfo


def candidate(
    pod: PodInfo,
    placement: Placement,
    nodes: Mapping[str, NodeInfo],
    misfits: Mapping[str, Misfit],
) -> tuple[str, list[PodInfo]] | None:
    """The node to make room on and its victims; None if no node can be made to fit.

    As kube-scheduler prefers: the least important most important victim, then the smallest sum of
    priorities, then the fewest victims, then the first by name.
    """
    found = []
    for name in sorted(misfits):
        if not misfits[name].resolvable:
            continue
        victims = _victims(pod, placement, nodes[name])
        if victims:
            priorities = [victim.priority for victim in victims]
            found.append((max(priorities), sum(priorities), len(victims), name, victims))
    if not found:
        return None
    best = min(found, key=lambda entry: entry[:4])
    return best[3], best[4]


def _victims(pod: PodInfo, placement: Placement, node: NodeInfo) -> list[PodInfo]:
    """The pods that must go, as few as possible; empty if it takes none or none would help."""
    trial = copy(node)
    trial.pods, trial.requested, trial.ports = (
        dict(node.pods),
        dict(node.requested),
        dict(node.ports),
    )
    lower = [other for other in node.pods.values() if other.priority < pod.priority]
    for other in lower:
        trial.remove(other.uid)
    if not lower or placement.misfit(trial) is not None:
        return []
    victims = []
    # The most important ones get the first chance to stay.
    for other in sorted(lower, key=lambda o: (-o.priority, o.created, o.name)):
        trial.add(other)
        if placement.misfit(trial) is not None:
            trial.remove(other.uid)
            victims.append(other)
    return victims
