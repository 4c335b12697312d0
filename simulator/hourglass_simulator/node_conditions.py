"""The conditions of a node as its kubelet reports them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/nodestatus/setters.go
"""

from hourglass_kube.types import JSON

_GOOD = {
    "MemoryPressure": (
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}
_BAD = {
    "MemoryPressure": (
        "True",
        "KubeletHasInsufficientMemory",
        "kubelet has insufficient memory available",
    ),
    "DiskPressure": ("True", "KubeletHasDiskPressure", "kubelet has disk pressure"),
    "PIDPressure": ("True", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
}

PRESSURES = {
    "MemoryPressure": ("NodeHasSufficientMemory", "NodeHasInsufficientMemory"),
    "DiskPressure": ("NodeHasNoDiskPressure", "NodeHasDiskPressure"),
    "PIDPressure": ("NodeHasSufficientPID", "NodeHasInsufficientPID"),
}
"""The reasons of the Events about a condition that becomes False or True."""


def all_good(now: str) -> list[JSON]:
    """The conditions of a node that is well; `now` is a timestamp as in the API."""
    return [good({"type": kind}, now) for kind in _GOOD]


def good(condition: JSON, now: str) -> JSON:
    """The condition as the kubelet of a well node reports it; other types are left alone."""
    state = _GOOD.get(condition["type"])
    return condition if state is None else _reported(condition, state, now)


def bad(condition: JSON, now: str) -> JSON:
    """The condition while the node is under MemoryPressure, DiskPressure or PIDPressure."""
    return _reported(condition, _BAD[condition["type"]], now)


def shutting_down(condition: JSON, now: str) -> JSON:
    """The condition Ready of a node that is being shut down."""
    return _reported(condition, ("False", "KubeletNotReady", "node is shutting down"), now)


def _reported(condition: JSON, state: tuple[str, str, str], now: str) -> JSON:
    status, reason, message = state
    same = condition.get("status") == status
    return {
        "type": condition["type"],
        "status": status,
        "lastHeartbeatTime": now,
        "lastTransitionTime": condition["lastTransitionTime"] if same else now,
        "reason": reason,
        "message": message,
    }
