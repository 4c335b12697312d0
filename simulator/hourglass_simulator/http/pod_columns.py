"""What `kubectl get pods` shows of a pod's containers.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/printers/internalversion/printers.go
"""

from collections.abc import Iterator
from datetime import datetime

from hourglass_kube.types import JSON


def ready(pod: JSON, _: datetime) -> str:
    """READY: how many containers are, sidecars included."""
    sidecars = {c["name"] for c in pod["spec"].get("initContainers") or () if _restarts(c)}
    status = pod.get("status") or {}
    counted = [
        *(c for c in status.get("initContainerStatuses") or () if c["name"] in sidecars),
        *(status.get("containerStatuses") or ()),
    ]
    total = len(sidecars) + len(pod["spec"]["containers"])
    return f"{sum(c.get('ready', False) for c in counted)}/{total}"


def state(pod: JSON, _: datetime) -> str:
    """STATUS: the phase, or what is more specific than that."""
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    found = next(_details(pod, status), None)
    return str(found or status.get("reason") or status.get("phase", "Unknown"))


def restarts(pod: JSON, _: datetime) -> str:
    """RESTARTS."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return str(sum(container.get("restartCount", 0) for container in statuses))


def _details(pod: JSON, status: JSON) -> Iterator[str]:
    for condition in status.get("conditions") or ():
        if condition.get("reason") == "SchedulingGated":
            yield "SchedulingGated"
    init = status.get("initContainerStatuses") or []
    specs = {c["name"]: c for c in pod["spec"].get("initContainers") or ()}
    for index, container in enumerate(init):
        reason, ended = _reason(container), container.get("state", {}).get("terminated")
        sidecar = _restarts(specs.get(container["name"], {}))
        if (ended and not ended["exitCode"]) or (sidecar and container.get("started")):
            continue
        waits = reason in ("", "PodInitializing")
        yield f"Init:{index}/{len(init)}" if waits else f"Init:{reason}"
    for container in status.get("containerStatuses") or ():
        if reason := _reason(container):
            yield reason


def _reason(container: JSON) -> str:
    state = container.get("state") or {}
    return str((state.get("waiting") or state.get("terminated") or {}).get("reason") or "")


def _restarts(spec: JSON) -> bool:
    return spec.get("restartPolicy") == "Always"
