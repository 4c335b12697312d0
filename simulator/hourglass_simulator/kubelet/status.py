"""A pod's status out of the states of its containers.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/status/generate.go
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.container import Container

OWN_CONDITIONS = frozenset(
    ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
)
"""What the kubelet writes; conditions of other types are left alone."""

_UNKNOWN = {
    "terminated": {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was terminated",
        "startedAt": None,
        "finishedAt": None,
    }
}


@dataclass(frozen=True, slots=True)
class Life:
    """Where a pod is in its life, as far as the status shows it."""

    generation: int
    sandbox: bool
    deleting: bool = False
    """No container is restarted any more."""
    finished: bool = False
    """All containers have stopped for good."""
    lost: bool = False
    """Containers that were never created are reported as lost."""


def container_status(container: Container, restart_policy: str, life: Life) -> JSON:
    """One entry of containerStatuses."""
    state, last = _states(container, restart_policy, life)
    running = container.running
    status: JSON = {
        "name": container.name,
        "state": state,
        "lastState": last,
        "ready": container.ready and running,
        "restartCount": max(container.restarts, 0),
        "image": container.image_reference,
        "imageID": container.image_id,
        "started": running,
    }
    if container.exists:
        resources = container.spec.get("resources") or {}
        status["containerID"] = container.runtime_id
        status["resources"] = resources
        if resources.get("requests"):
            status["allocatedResources"] = resources["requests"]
    return status


def _states(container: Container, restart_policy: str, life: Life) -> tuple[JSON, JSON]:
    last: JSON = {"terminated": container.last} if container.last else {}
    if container.running:
        return {"running": {"startedAt": container.started_at}}, last
    if not container.exists and life.lost:
        return _UNKNOWN, last
    if not life.deleting and container.reason and container.to_start(restart_policy):
        reason, message = container.reason
        if container.terminated:
            last = {"terminated": container.terminated}
        return {"waiting": {"reason": reason, "message": message}}, last
    if container.terminated:
        return {"terminated": container.terminated}, last
    return {"waiting": {"reason": "ContainerCreating"}}, last


def phase(statuses: Sequence[JSON], restart_policy: str, finished: bool) -> str:
    """The pod's phase; `finished` says that nothing will run again."""
    if any("running" in status["state"] for status in statuses):
        waiting = any(_waiting(status) for status in statuses)
        return "Pending" if waiting else "Running"
    if any(_waiting(status) for status in statuses):
        return "Pending"
    ended = [s["state"].get("terminated") or s["lastState"]["terminated"] for s in statuses]
    failed = any(end["exitCode"] != 0 for end in ended)
    if finished or restart_policy == "Never" or (restart_policy == "OnFailure" and not failed):
        return "Failed" if failed else "Succeeded"
    return "Running"


def _waiting(status: JSON) -> bool:
    return "waiting" in status["state"] and not status["lastState"]


def conditions(
    statuses: Sequence[JSON], pod_phase: str, life: Life, before: Sequence[JSON], now: str
) -> list[JSON]:
    """The kubelet's own conditions; `before` are those it has reported last."""
    known = {condition["type"]: condition for condition in before}
    unready = [status["name"] for status in statuses if not status["ready"]]
    readiness: JSON = {"status": "True"}
    ended = {"Failed": "PodFailed", "Succeeded": "PodCompleted"}.get(pod_phase)
    if ended and not life.lost:
        readiness = {"status": "False", "reason": ended}
    elif unready:
        names = " ".join(unready)
        readiness = {
            "status": "False",
            "reason": "ContainersNotReady",
            "message": f"containers with unready status: [{names}]",
        }
    initialized: JSON = {"status": "True"}
    if pod_phase == "Succeeded":
        initialized["reason"] = "PodCompleted"
    sandbox = "True" if life.sandbox else "False"
    own = {
        "PodReadyToStartContainers": {"status": sandbox},
        "Initialized": initialized,
        "Ready": readiness,
        "ContainersReady": readiness,
        "PodScheduled": {"status": "True"},
    }
    return [
        _condition(kind, fields, known.get(kind), life.generation, now)
        for kind, fields in own.items()
    ]


def _condition(kind: str, fields: JSON, before: JSON | None, generation: int, now: str) -> JSON:
    same = before is not None and before["status"] == fields["status"]
    return {
        "type": kind,
        "observedGeneration": generation,
        "lastProbeTime": None,
        "lastTransitionTime": before["lastTransitionTime"] if same and before else now,
        **fields,
    }
