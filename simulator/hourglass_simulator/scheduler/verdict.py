"""The verdict on a pod that fits nowhere, as kube-scheduler words it.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/types.go#L763
"""

from collections import Counter
from collections.abc import Mapping

from hourglass_simulator.scheduler.filters import Misfit

NO_NODES = "no nodes available to schedule pods"
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NEVER_PREEMPTS = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."


def sentence(misfits: Mapping[str, Misfit]) -> str:
    """`0/N nodes are available: …` for what is wrong with each node."""
    return _counted(Counter(r for misfit in misfits.values() for r in misfit.reasons), len(misfits))


def with_preemption(told: str, preemption: str) -> str:
    """The sentence with what came of looking for victims.

    The dynamic resources plugin speaks first, also for pods that claim none.
    """
    return f"{told} no new claims to deallocate, preemption: {preemption}"


def fruitless(misfits: Mapping[str, Misfit]) -> str:
    """What preemption says when it found no node on which it helps."""
    reasons = Counter(NO_VICTIMS if m.resolvable else NOT_HELPFUL for m in misfits.values())
    return _counted(reasons, len(misfits))


def _counted(reasons: Counter[str], nodes: int) -> str:
    listed = sorted(f"{count} {reason}" for reason, count in reasons.items())
    return f"0/{nodes} nodes are available: {', '.join(listed)}."
