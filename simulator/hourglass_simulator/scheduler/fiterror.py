"""The message about a pod that fits nowhere: kube-scheduler's FitError.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/types.go#L763
"""

from collections import Counter
from collections.abc import Mapping

from hourglass_simulator.scheduler.status import NodeToStatus

NO_NODES = "no nodes available to schedule pods"
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NEVER_PREEMPTS = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."


def message(statuses: NodeToStatus) -> str:
    """`0/N nodes are available: …` for what is wrong with each node."""
    reasons: Counter[str] = Counter()
    for status, count in statuses.counts.items():
        for reason in status.reasons:
            reasons[reason] += count
    return counted(reasons, len(statuses))


def counted(reasons: Mapping[str, int], nodes: int) -> str:
    """The reasons sorted as text, each with the number of nodes before it."""
    listed = sorted(f"{count} {reason}" for reason, count in reasons.items() if count)
    return f"0/{nodes} nodes are available: {', '.join(listed)}."


def with_preemption(message: str, devices: str, preemption: str) -> str:
    """The message with what PostFilter plugins say, if preemption says anything.

    The plugin for dynamic resources comes first, also for pods that claim none.
    """
    if not preemption:
        return message
    said = filter(None, (devices, f"preemption: {preemption}"))
    return f"{message} {', '.join(said)}"
