"""Which pods of lower priority would have to go for a pod to fit.

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/preemption/preemption.go
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from hourglass_kube import selector
from hourglass_kube.expression import Selector
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
class _Candidate:
    """A node with the pods that would have to go, most important first."""

    node: str
    victims: list[PodInfo]
    broken: int
    """Victims that a PodDisruptionBudget does not let go."""


@dataclass(frozen=True, slots=True)
class _Budget:
    """A PodDisruptionBudget."""

    namespace: str
    chosen: Selector
    allowed: int
    disrupted: Mapping[str, str]

    def covers(self, pod: PodInfo) -> bool:
        """Whether it counts a pod, and has not done so already."""
        return (
            pod.namespace == self.namespace
            and selector.matches_all(self.chosen, pod.labels)
            and pod.name not in self.disrupted
        )


@dataclass(frozen=True, slots=True)
class Preemption:
    """The result of preemption: a node and its victims, or a message why there is none.

    `nominated` is the node for the pod's status: "" takes an earlier one back, None leaves it.
    """

    message: str
    nominated: str | None = None
    victims: tuple[PodInfo, ...] = ()


def preempt(
    pod: PodInfo, snapshot: Snapshot, statuses: NodeToStatus, trial: Trial, random: Random
) -> Preemption:
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
    candidates: list[_Candidate] = []
    budgets = _budgets(snapshot)
    offset = random.randrange(len(hopeful)) if len(hopeful) > enough else 0
    for name in [*hopeful[offset:], *hopeful[:offset]]:
        found = _victims(pod, snapshot.nodes[name], trial, budgets)
        if isinstance(found, _Candidate):
            candidates.append(found)
            if len(candidates) == enough:
                break
        else:
            reasons.update(found)
    if not candidates:
        return Preemption(fiterror.counted(reasons, len(statuses)), nominated="")
    least = min(map(_cost, candidates))
    equal = [candidate for candidate in candidates if _cost(candidate) == least]
    chosen = equal[0] if len(equal) == 1 else random.choice(equal)
    return Preemption("", nominated=chosen.node, victims=tuple(chosen.victims))


def _waits(pod: PodInfo, snapshot: Snapshot, statuses: NodeToStatus) -> bool:
    """Room is being made for the pod already."""
    nominated = snapshot.nodes.get(pod.nominated)
    status = statuses.by_node.get(pod.nominated)
    if nominated is None or (status is not None and not status.resolvable):
        return False
    return any(p.preempted and p.priority < pod.priority for p in nominated.pods.values())


def _victims(
    pod: PodInfo, node: NodeInfo, trial: Trial, budgets: Sequence[_Budget]
) -> "_Candidate | tuple[str, ...]":
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
    # Those whose budget would be broken, and then the most important ones, get the first chance.
    lower.sort(key=_importance)
    violating = _violating(lower, budgets)
    for other in sorted(lower, key=lambda o: o.uid not in violating):
        changed.add(other)
        del gone[other.uid]
        if trial(changed, [(one, -1) for one in gone.values()]) is not None:
            changed.remove(other.uid)
            gone[other.uid] = other
    broken = sum(uid in violating for uid in gone)
    return _Candidate(node.view.name, sorted(gone.values(), key=_importance), broken)


def _importance(pod: PodInfo) -> tuple[int, float]:
    return -pod.priority, pod.started


def _budgets(snapshot: Snapshot) -> list[_Budget]:
    found = []
    for budget in snapshot.listers["poddisruptionbudgets"]:
        chosen = selector.compile_selector((budget.get("spec") or {}).get("selector") or {})
        status = budget.get("status") or {}
        if chosen:
            namespace = budget["metadata"]["namespace"]
            allowed = status.get("disruptionsAllowed") or 0
            found.append(_Budget(namespace, chosen, allowed, status.get("disruptedPods") or {}))
    return found


def _violating(pods: Iterable[PodInfo], budgets: Sequence[_Budget]) -> set[str]:
    """The uids of pods whose budget would be broken if they went, one after the other."""
    found: set[str] = set()
    if not budgets:
        return found
    left = [budget.allowed for budget in budgets]
    for pod in pods:
        for i, budget in enumerate(budgets):
            if pod.labels and budget.covers(pod):
                left[i] -= 1
                if left[i] < 0:
                    found.add(pod.uid)
    return found


def _cost(candidate: _Candidate) -> tuple[int, int, int, int, float]:
    """Cheapest first: broken budgets, the most important victim, sum, number, latest start."""
    victims = candidate.victims
    if not victims:
        return candidate.broken, -(2**31), 0, 0, 0.0
    most = max(victim.priority for victim in victims)
    # Made positive, so that fewer victims of negative priority cost less.
    total = sum(victim.priority + 2**31 for victim in victims)
    started = min(victim.started for victim in victims if victim.priority == most)
    return candidate.broken, most, total, len(victims), -started
