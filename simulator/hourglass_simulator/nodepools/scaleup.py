"""Which node pool the cluster autoscaler would grow for pending pods, and why it grows none.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/core/scaleup/orchestrator/orchestrator.go
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hourglass_kube import podresources
from hourglass_kube.types import JSON
from hourglass_simulator.nodepools.fitting import Fitting
from hourglass_simulator.nodepools.pool import NodePool
from hourglass_simulator.scheduler.pod import pod_info

MAX_REACHED = "max node group size reached"
IN_BACKOFF = "in backoff after failed scale-up"
EXPENDABLE_PRIORITY = -10
"""Pods below that start no scale-up."""


@dataclass(frozen=True, slots=True)
class Option:
    """A pool that could grow by `count` nodes, for these pods."""

    pool: NodePool
    count: int
    pods: tuple[JSON, ...]
    waste: float
    """The part of the new nodes' CPU and memory that stays free, 0 to 1."""


def estimated(
    pool: NodePool,
    pods: Sequence[JSON],
    fitting: Fitting,
    room: int,
    template: Callable[[str], JSON],
) -> Option | None:
    """How many nodes more the pods would fill, `room` at the most; None if none fits.

    `fitting` is changed. Large pods come first, as in the binpacking estimator.
    """
    fit: list[JSON] = []
    names: list[str] = []
    used: set[str] = set()
    for pod in sorted(pods, key=lambda each: -_size(each, pool)):
        node = fitting.place(pod)
        unused = [name for name in names if name not in used]
        if node is None and len(names) < room and not unused:
            names.append(f"template-node-for-{pool.name}-{len(names)}")
            fitting.add(template(names[-1]))
            node = fitting.place(pod)
        if node in names:
            used.add(str(node))
            fit.append(pod)
    if not used:
        return None
    return Option(pool, len(used), tuple(fit), _waste(pool, fit, len(used)))


def best(options: Sequence[Option]) -> Option:
    """The expander `least-waste`; of equals, the pool that is named first."""
    return min(options, key=lambda option: option.waste)


def not_triggered(reasons: Mapping[str, Sequence[str]]) -> str:
    """Why no pool grows for a pod, by the reasons of each pool; sorted."""
    counted = Counter(reason for each in reasons.values() for reason in each)
    listed = sorted(f"{count} {reason}" for reason, count in counted.items())
    return f"pod didn't trigger scale-up: {', '.join(listed)}"


def triggered(option: Option, size: int) -> str:
    """The message on a pod whose pool grows from `size` nodes."""
    pool = option.pool
    info = f"{{{pool.name} {size}->{size + option.count} (max: {pool.most})}}"
    return f"pod triggered scale-up: [{info}]"


def _requests(pod: JSON) -> tuple[float, float]:
    """Cores and bytes."""
    requests = pod_info(pod).requests
    return requests.get("cpu", 0) / 1000, float(requests.get("memory", 0))


def _capacity(pool: NodePool) -> tuple[float, float]:
    found = podresources.allocatable({"cpu": pool.cpu, "memory": pool.memory})
    return found["cpu"] / 1000, float(found["memory"])


def _size(pod: JSON, pool: NodePool) -> float:
    cpu, memory = _capacity(pool)
    asked = _requests(pod)
    return asked[0] / cpu + asked[1] / memory


def _waste(pool: NodePool, pods: Sequence[JSON], count: int) -> float:
    cpu, memory = _capacity(pool)
    asked = [_requests(pod) for pod in pods]
    free = [
        1 - sum(each[0] for each in asked) / (cpu * count),
        1 - sum(each[1] for each in asked) / (memory * count),
    ]
    return sum(free) / 2
