"""By what a Job ends: the conditions of its failure and of its success.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/job/job_controller.go
"""

from collections.abc import Iterable

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.controllers import job_policies, podstatus

COMPLETE, FAILED = "Complete", "Failed"
FAILURE_TARGET, SUCCESS_CRITERIA_MET = "FailureTarget", "SuccessCriteriaMet"
"""Set first, while pods still have to go."""


def is_finished(job: JSON) -> bool:
    """Whether a Job is complete or has failed."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(c["type"] in (COMPLETE, FAILED) and c["status"] == "True" for c in conditions)


def condition(kind: str, reason: str, message: str, now: str, status: str = "True") -> JSON:
    """A condition that changes now."""
    return {
        "type": kind,
        "status": status,
        "lastProbeTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def known(status: JSON, now: str) -> JSON | None:
    """The end that the status already announces."""
    met = podstatus.condition({"status": status}, SUCCESS_CRITERIA_MET)
    if met is not None and met["status"] == "True":
        return met
    target = podstatus.condition({"status": status}, FAILURE_TARGET)
    if target is not None and target["status"] == "True":
        return condition(FAILED, target["reason"], target["message"], now)
    return None


def by_pods(job: JSON, pods: Iterable[JSON], failed: int, now: str) -> JSON | None:
    """A failure because of what became of the pods, of which `failed` count as failures."""
    for pod in pods:
        if job_policies.has_failed(job, pod):
            message = job_policies.judge(job, pod).message
            if message is not None:
                return condition(FAILURE_TARGET, "PodFailurePolicy", message, now)
    if failed > job["spec"]["backoffLimit"] or _restart_too_often(job, pods):
        text = "Job has reached the specified backoff limit"
        return condition(FAILURE_TARGET, "BackoffLimitExceeded", text, now)
    return None


def _restart_too_often(job: JSON, pods: Iterable[JSON]) -> bool:
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    statuses = [
        status
        for pod in pods
        if not podstatus.ended(pod)
        for field in ("initContainerStatuses", "containerStatuses")
        for status in (pod.get("status") or {}).get(field) or ()
    ]
    restarts = sum(status.get("restartCount", 0) for status in statuses)
    limit = job["spec"]["backoffLimit"]
    return bool(restarts > 0 if not limit else restarts >= limit)


def seconds_left(job: JSON, status: JSON, now: float) -> float | None:
    """How long a Job may go on; None without a limit. `now` in Unix seconds."""
    spec, since = job["spec"], status.get("startTime")
    if "activeDeadlineSeconds" not in spec or since is None or spec.get("suspend"):
        return None
    left: float = time.parse(since).timestamp() + spec["activeDeadlineSeconds"] - now
    return left


def too_long(now: str) -> JSON:
    """The failure of a Job whose time is over."""
    text = "Job was active longer than specified deadline"
    return condition(FAILURE_TARGET, "DeadlineExceeded", text, now)


def by_indexes(job: JSON, failed: int, succeeded: int, now: str) -> JSON | None:
    """A failure because of how many indexes have failed."""
    most = job["spec"].get("maxFailedIndexes")
    if most is not None and failed > most:
        text = "Job has exceeded the specified maximal number of failed indexes"
        return condition(FAILURE_TARGET, "MaxFailedIndexesExceeded", text, now)
    if failed and failed + succeeded >= job["spec"]["completions"]:
        return condition(FAILURE_TARGET, "FailedIndexes", "Job has failed indexes", now)
    return None
