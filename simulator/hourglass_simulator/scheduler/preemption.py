"""Which pods of lower priority would have to go for a pod to fit.

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/preemption/preemption.go
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from hourglass_simulator.scheduler import verdict
from hourglass_simulator.scheduler.misfit import Misfit, Misfits
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.topology import Changes

_CANDIDATES, _CANDIDATES_PERCENT = 100, 10
"""So many nodes on which victims are found are compared, at least."""

Trial = Callable[[NodeInfo, Changes], Misfit | None]
"""Why a changed node does not do; the changes say which pods came to it or left it."""


@dataclass(frozen=True, slots=True)
class Preemption:
    """What came of looking for victims: a node and who must leave it, or what is said of it.

    `nominated` is the node for the pod's status: "" takes an earlier one back, None leaves it.
    """

    told: str
    nominated: str | None = None
    victims: tuple[PodInfo, ...] = ()


def preempt(pod: PodInfo, snapshot: Snapshot, misfits: Misfits, trial: Trial) -> Preemption:
    """Look for the node on which the least important pods make room."""
    if pod.spec.get("preemptionPolicy") == "Never":
        return Preemption(verdict.NEVER_PREEMPTS)
    if _waits(pod, snapshot, misfits):
        return Preemption(verdict.TERMINATING)
    resolvable = misfits.resolvable
    reasons = Counter({verdict.NOT_HELPFUL: len(misfits) - resolvable})
    if not resolvable or not snapshot.any_less_important(pod):
        reasons[verdict.NO_VICTIMS] += resolvable
        return Preemption(verdict.counted(reasons, len(misfits)), nominated="")
    hopeful = sorted(name for name, misfit in misfits.by_node.items() if misfit.resolvable)
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
        return Preemption(verdict.counted(reasons, len(misfits)), nominated="")
    node, victims = min(candidates, key=_cost)
    return Preemption("", nominated=node, victims=tuple(victims))


def _waits(pod: PodInfo, snapshot: Snapshot, misfits: Misfits) -> bool:
    """Room is being made for the pod already."""
    nominated = snapshot.nodes.get(pod.nominated)
    misfit = misfits.by_node.get(pod.nominated)
    if nominated is None or (misfit is not None and not misfit.resolvable):
        return False
    return any(p.preempted and p.priority < pod.priority for p in nominated.pods.values())


def _victims(pod: PodInfo, node: NodeInfo, trial: Trial) -> list[PodInfo] | tuple[str, ...]:
    """As few pods as possible that must go, or why removing them does not help."""
    lower = [other for other in node.pods.values() if other.priority < pod.priority]
    if not lower:
        return (verdict.NO_VICTIMS,)
    changed = node.copy()
    for other in lower:
        changed.remove(other.uid)
    gone = {other.uid: other for other in lower}
    misfit = trial(changed, [(other, -1) for other in lower])
    if misfit is not None:
        return misfit.reasons
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
