"""What controllers read from a pod: readiness, availability, whether it counts, which goes first.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/controller_utils.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/api/v1/pod/util.go
"""

import math
from collections.abc import Iterable, Sequence
from functools import cmp_to_key

from hourglass_kube import time
from hourglass_kube.types import JSON

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_ENDED = ("Succeeded", "Failed")
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def condition(obj: JSON, kind: str) -> JSON | None:
    """A condition of an object's status."""
    for found in (obj.get("status") or {}).get("conditions") or ():
        if found["type"] == kind:
            result: JSON = found
            return result
    return None


def phase(pod: JSON) -> str:
    """The pod's phase, Pending where nothing is said yet."""
    return str((pod.get("status") or {}).get("phase") or "Pending")


def terminating(pod: JSON) -> bool:
    """Whether the pod is being deleted."""
    return "deletionTimestamp" in pod["metadata"]


def ended(pod: JSON) -> bool:
    """Whether the pod has succeeded or failed."""
    return phase(pod) in _ENDED


def active(pod: JSON) -> bool:
    """Whether the pod has neither ended nor is being deleted."""
    return not ended(pod) and not terminating(pod)


def ready(pod: JSON) -> bool:
    """Whether the pod is Ready."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def ready_since(pod: JSON) -> float | None:
    """Since when a Ready pod is ready, in Unix seconds."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True" or not found.get("lastTransitionTime"):
        return None
    return time.parse(found["lastTransitionTime"]).timestamp()


def available_in(pod: JSON, min_ready_seconds: int, now: float) -> float | None:
    """Seconds until a Ready pod is available, 0 when it is; None for a pod that is not Ready."""
    if not ready(pod):
        return None
    if not min_ready_seconds:
        return 0.0
    since = ready_since(pod)
    return None if since is None else max(0.0, since + min_ready_seconds - now)


def available(pod: JSON, min_ready_seconds: int, now: float) -> bool:
    """Whether the pod has been ready for so long."""
    return available_in(pod, min_ready_seconds, now) == 0.0


def restarts(pod: JSON) -> int:
    """The most restarts that one of its containers has had."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((each.get("restartCount", 0) for each in statuses), default=0)


def created(obj: JSON) -> float:
    """When an object was created, in Unix seconds."""
    return time.parse(obj["metadata"]["creationTimestamp"]).timestamp()


def first_to_delete(pods: Sequence[JSON], related: Iterable[JSON], now: float) -> list[JSON]:
    """The pods in the order in which a scale down takes them.

    `related` are all pods of the controller's siblings: those on crowded nodes go first. Ages are
    compared by their logarithm, and then by uid, which makes the choice random on a real cluster.
    """
    crowd: dict[str, int] = {}
    for pod in related:
        if active(pod):
            node = pod["spec"].get("nodeName", "")
            crowd[node] = crowd.get(node, 0) + 1

    def compare(one: JSON, other: JSON) -> int:
        return _compare(one, other, crowd, now)

    return sorted(pods, key=cmp_to_key(compare))


def _compare(one: JSON, other: JSON, crowd: dict[str, int], now: float) -> int:
    nodes = one["spec"].get("nodeName", ""), other["spec"].get("nodeName", "")
    if bool(nodes[0]) != bool(nodes[1]):
        return 1 if nodes[0] else -1
    phases = _PHASES.get(phase(one), 0), _PHASES.get(phase(other), 0)
    if phases[0] != phases[1]:
        return phases[0] - phases[1]
    if ready(one) != ready(other):
        return 1 if ready(one) else -1
    costs = _cost(one), _cost(other)
    if costs[0] != costs[1]:
        return costs[0] - costs[1]
    ranks = crowd.get(nodes[0], 0), crowd.get(nodes[1], 0)
    if ranks[0] != ranks[1]:
        return ranks[1] - ranks[0]
    since = ready_since(one), ready_since(other)
    if since[0] is not None and since[1] is not None and since[0] != since[1]:
        return _younger(one, other, since[0], since[1], now)
    if restarts(one) != restarts(other):
        return restarts(other) - restarts(one)
    if created(one) != created(other):
        return _younger(one, other, created(one), created(other), now)
    return 0


def _younger(one: JSON, other: JSON, first: float, second: float, now: float) -> int:
    ranks = [int(math.log2((now - t) * 1e9)) if now > t else -1 for t in (first, second)]
    if ranks[0] != ranks[1]:
        return ranks[0] - ranks[1]
    return -1 if one["metadata"]["uid"] < other["metadata"]["uid"] else 1


def _cost(pod: JSON) -> int:
    try:
        return int((pod["metadata"].get("annotations") or {}).get(DELETION_COST, "0"))
    except ValueError:
        return 0
