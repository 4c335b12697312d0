"""Which nodes the cluster autoscaler does not need.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/core/scaledown/planner/planner.go
"""

from collections.abc import Callable, Sequence

from hourglass_kube import podresources
from hourglass_kube.types import JSON
from hourglass_simulator.nodepools.fitting import Fitting
from hourglass_simulator.nodepools.leaving import may_leave
from hourglass_simulator.scheduler.pod import pod_info

UTILIZATION = 0.5
"""A node that is used more is needed."""


def utilization(node: JSON, pods: Sequence[JSON], devices: Sequence[str]) -> float:
    """The part of a node that is requested: of its devices if it has any, of CPU or memory else."""
    allocatable = podresources.allocatable((node.get("status") or {}).get("allocatable") or {})
    requests = [pod_info(pod).requests for pod in pods]
    counted = [name for name in devices if allocatable.get(name)] or ["cpu", "memory"]
    shares = [
        sum(each.get(name, 0) for each in requests) / allocatable[name]
        for name in counted
        if allocatable.get(name)
    ]
    return max(shares, default=0.0)


def is_unneeded(
    node: JSON,
    pods: Sequence[JSON],
    leaving: Sequence[JSON],
    devices: Sequence[str],
    rest: Callable[[], Fitting],
) -> bool:
    """Whether the pods that would have to leave (of all `pods` on the node) fit the rest.

    `rest` makes the cluster without the node; it is asked for only if that decides.
    """
    if not leaving:
        return True
    if utilization(node, pods, devices) >= UTILIZATION or not all(map(may_leave, leaving)):
        return False
    others = rest()
    return all(others.place(pod) is not None for pod in leaving)
