"""The status of a Deployment: numbers, availability and progress.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/deployment/progress.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/deployment/sync.go
"""

from collections.abc import Sequence

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.deployment_replicas import (
    counted,
    max_unavailable,
    replicas,
    total,
)

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"
COMPLETE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
_NO_DEADLINE = 2**31 - 1


def deadline(deployment: JSON) -> int | None:
    """Seconds without progress until a rollout has failed."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds in (None, _NO_DEADLINE) else int(seconds)


def new_condition(kind: str, status: str, reason: str, message: str, now: str) -> JSON:
    """A condition that changes now."""
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def with_condition(status: JSON, condition: JSON) -> JSON:
    """The status with a condition, moved to the end unless status and reason are as before."""
    before = podstatus.condition({"status": status}, condition["type"])
    if before is not None and before["status"] == condition["status"]:
        if before["reason"] == condition["reason"]:
            return status
        condition = {**condition, "lastTransitionTime": before["lastTransitionTime"]}
    return {
        **status,
        "conditions": [*_others(status, condition["type"]), condition],
    }


def without_condition(status: JSON, kind: str) -> JSON:
    """The status without a condition."""
    kept = _others(status, kind)
    if kept:
        return {**status, "conditions": kept}
    return {name: value for name, value in status.items() if name != "conditions"}


def _others(status: JSON, kind: str) -> list[JSON]:
    return [c for c in status.get("conditions") or () if c["type"] != kind]


def calculated(deployment: JSON, sets: Sequence[JSON], new: JSON | None, now: str) -> JSON:
    """Numbers and availability."""
    old = deployment.get("status") or {}
    available = counted(sets, "availableReplicas")
    counts = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": counted(sets, "replicas"),
        "updatedReplicas": counted([new], "replicas") if new is not None else 0,
        "readyReplicas": counted(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(sets) - available),
    }
    status: JSON = {field: number for field, number in counts.items() if number}
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    if old.get("conditions"):
        status["conditions"] = old["conditions"]
    if available >= replicas(deployment) - max_unavailable(deployment):
        found = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        text = "Deployment does not have minimum availability."
        found = ("False", "MinimumReplicasUnavailable", text)
    return with_condition(status, new_condition(AVAILABLE, *found, now))


def complete(deployment: JSON, status: JSON) -> bool:
    """Whether all pods are of the newest template and available, and no others are left."""
    wanted = replicas(deployment)
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
        and status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    )


def progressed(old: JSON, new: JSON) -> bool:
    """Whether a rollout has come further."""

    def outdated(status: JSON) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    more = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return outdated(new) < outdated(old) or any(new.get(f, 0) > old.get(f, 0) for f in more)


def timed_out(deployment: JSON, status: JSON, now: float) -> bool:
    """Whether the deadline has passed without progress; `now` in Unix seconds."""
    seconds, found = deadline(deployment), podstatus.condition({"status": status}, PROGRESSING)
    if seconds is None or found is None or found["reason"] == COMPLETE:
        return False
    since: float = time.parse(found["lastUpdateTime"]).timestamp()
    return bool(found["reason"] == TIMED_OUT or since + seconds < now)


def during_rollout(
    deployment: JSON, sets: Sequence[JSON], new: JSON | None, now: float, timestamp: str
) -> JSON:
    """Numbers, availability and how the rollout comes along."""
    status = calculated(deployment, sets, new, timestamp)
    if deadline(deployment) is None:
        status = without_condition(status, PROGRESSING)
    else:
        status = _with_progress(deployment, status, new, now, timestamp)
    failures = [
        found
        for each in ([new] if new is not None else []) + list(sets)
        if (found := podstatus.condition(each, FAILURE)) is not None
    ]
    if not failures:
        return without_condition(status, FAILURE)
    first = failures[0]
    return with_condition(status, {**first, "lastUpdateTime": first["lastTransitionTime"]})


def _with_progress(
    deployment: JSON, status: JSON, new: JSON | None, now: float, timestamp: str
) -> JSON:
    before = podstatus.condition(deployment, PROGRESSING)
    done = before is not None and before["reason"] == COMPLETE
    if done and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return status
    owner = new if new is not None else deployment
    subject = f'{owner["kind"]} "{owner["metadata"]["name"]}"'
    if complete(deployment, status):
        text = f"{subject} has successfully progressed."
        found = new_condition(PROGRESSING, "True", COMPLETE, text, timestamp)
        return with_condition(status, found)
    if progressed(deployment.get("status") or {}, status):
        text = f"{subject} is progressing."
        found = new_condition(PROGRESSING, "True", "ReplicaSetUpdated", text, timestamp)
        if before is not None and before["status"] == "True":
            found["lastTransitionTime"] = before["lastTransitionTime"]
        return with_condition(without_condition(status, PROGRESSING), found)
    if timed_out(deployment, status, now):
        text = f"{subject} has timed out progressing."
        found = new_condition(PROGRESSING, "False", TIMED_OUT, text, timestamp)
        return with_condition(status, found)
    return status


def check_in(deployment: JSON, status: JSON, now: float) -> float | None:
    """Seconds until the progress of a rollout must be looked at again."""
    seconds, found = deadline(deployment), podstatus.condition(deployment, PROGRESSING)
    if seconds is None or found is None:
        return None
    if complete(deployment, status) or found["reason"] == TIMED_OUT:
        return None
    left = time.parse(found["lastUpdateTime"]).timestamp() + seconds - now
    return max(0.0, left) + 1.0
