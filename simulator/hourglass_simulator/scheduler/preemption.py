"""Which pods of lower priority would have to go for a pod to fit.

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/preemption/preemption.go
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from hourglass_simulator.scheduler import fiterror
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.status import NodeToStatus, Status
from hourglass_simulator.scheduler.topology import Changes

_CANDIDATES, _CANDIDATES_PERCENT = 100, 10
"""So many nodes on which victims are found are compared, at least."""

Trial = Callable[[NodeInfo, Changes], Status | None]
"""The status of a changed node, None if it fits; the changes are pods that came or left."""


@dataclass(frozen=True, slots=True)
class Preemption:
    """The result of preemption: a node and its victims, or a message why there is none.

    `nominated` is the node for the pod's status: "" takes an earlier one back, None leaves it.
    """

    message: str
    nominated: str | None = None
    victims: tuple[PodInfo, ...] = ()


def preempt(pod: PodInfo, snapshot: Snapshot, statuses: NodeToStatus, trial: Trial) -> Preemption:
    """Look for the node on which the least important pods make room."""
    if pod.spec.get("preemptionPolicy") == "Never":
        return Preemption(fiterror.NEVER_PREEMPTS)
    if _waits(pod, snapshot, statuses):
        return Preemption(fiterror.TERMINATING)
    resolvable = statuses.resolvable
    reasons = Counter({fiterror.NOT_HELPFUL: len(statuses) - resolvable})
    if not resolvable or not snapshot.any_less_important(pod):
        reasons[fiterror.NO_VICTIMS] += resolvable
        return Preemption(fiterror.counted(reasons, len(statuses)), nominated="")
    hopeful = sorted(name for name, status in statuses.by_node.items() if status.resolvable)
    enough = max(len(hopeful) * _CANDIDATES_PERCENT // 100, _CANDIDATES)
    candidates: list[tuple[str, list[PodInfo]]] = []
    for name in hopeful:
        found = _victims(pod, snapshot.nodes[name], trial)
        if isinstance(found, list):
            candidates.append((name, found))
            if len(candidates) == enough:
                break
        else:
            reasons.update(found)
    if not candidates:
        return Preemption(fiterror.counted(reasons, len(statuses)), nominated="")
    node, victims = min(candidates, key=_cost)
    return Preemption("", nominated=node, victims=tuple(victims))


def _waits(pod: PodInfo, snapshot: Snapshot, statuses: NodeToStatus) -> bool:
    """Room is being made for the pod already."""
    nominated = snapshot.nodes.get(pod.nominated)
    status = statuses.by_node.get(pod.nominated)
    if nominated is None or (status is not None and not status.resolvable):
        return False
    return any(p.preempted and p.priority < pod.priority for p in nominated.pods.values())


def _victims(pod: PodInfo, node: NodeInfo, trial: Trial) -> list[PodInfo] | tuple[str, ...]:
    """As few pods as possible that must go, or why removing them does not help."""
    lower = [other for other in node.pods.values() if other.priority < pod.priority]
    if not lower:
        return (fiterror.NO_VICTIMS,)
    changed = node.copy()
    for other in lower:
        changed.remove(other.uid)
    gone = {other.uid: other for other in lower}
    status = trial(changed, [(other, -1) for other in lower])
    if status is not None:
        return status.reasons
    # The most important ones get the first chance to stay.
    for other in sorted(lower, key=lambda o: (-o.priority, o.started)):
        changed.add(other)
        del gone[other.uid]
        if trial(changed, [(one, -1) for one in gone.values()]) is not None:
            changed.remove(other.uid)
            gone[other.uid] = other
    return sorted(gone.values(), key=lambda o: (-o.priority, o.started))


def _cost(candidate: tuple[str, list[PodInfo]]) -> tuple[int, int, int, float, str]:
    """Cheapest first: the most important victim, the sum, the number, the latest start."""
    name, victims = candidate
    most = max(victim.priority for victim in victims)
    # Made positive, so that fewer victims of negative priority cost less.
    total = sum(victim.priority + 2**31 for victim in victims)
    started = min(victim.started for victim in victims if victim.priority == most)
    return most, total, len(victims), -started, name
