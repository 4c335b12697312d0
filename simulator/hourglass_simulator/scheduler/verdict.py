"""The verdict on a pod that fits nowhere, as kube-scheduler words it.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/types.go#L763
"""

from collections import Counter
from collections.abc import Mapping

from hourglass_simulator.scheduler.misfit import Misfits

NO_NODES = "no nodes available to schedule pods"
# The plugin for dynamic resources has not been asked by then, which it calls an error.
CONFLICT = "pod affinity terms conflict. not found"
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NEVER_PREEMPTS = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."


def sentence(misfits: Misfits) -> str:
    """`0/N nodes are available: …` for what is wrong with each node."""
    reasons: Counter[str] = Counter()
    for misfit, count in misfits.counts.items():
        for reason in misfit.reasons:
            reasons[reason] += count
    return counted(reasons, len(misfits))


def counted(reasons: Mapping[str, int], nodes: int) -> str:
    """The reasons sorted as text, each with the number of nodes before it."""
    listed = sorted(f"{count} {reason}" for reason, count in reasons.items() if count)
    return f"0/{nodes} nodes are available: {', '.join(listed)}."


def with_preemption(told: str, preemption: str) -> str:
    """The sentence with what came of looking for victims, if anything is said of it.

    The plugin for dynamic resources speaks first, also for pods that claim none.
    """
    if not preemption:
        return told
    return f"{told} no new claims to deallocate, preemption: {preemption}"
