"""What the policies of a Job make of its pods: which have failed, and what that means.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/job/pod_failure_policy.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/job/success_policy.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/job/backoff_utils.go
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.controllers import job_indexes, podstatus

BACKOFF_SECONDS = 10.0
"""After the first failure; twice as long after each further one."""
LONGEST_BACKOFF_SECONDS = 600.0


class Verdict(NamedTuple):
    """`message`: the Job fails with it; `action` is that of the rule that matched, if one did."""

    message: str | None = None
    counts: bool = True
    action: str = ""


class Backoff(NamedTuple):
    """How many pods have failed since the last success, and when the last one did (Unix time)."""

    failures: int = 0
    last: float = 0.0


def only_failed_are_replaced(job: JSON) -> bool:
    """Whether a terminating pod keeps its successor waiting."""
    return bool(job["spec"].get("podReplacementPolicy") == "Failed")


def has_failed(job: JSON, pod: JSON) -> bool:
    """Whether a pod is a failure for its Job."""
    phase = podstatus.phase(pod)
    if phase == "Failed":
        return True
    if only_failed_are_replaced(job):
        return False
    return podstatus.terminating(pod) and phase != "Succeeded"


def judge(job: JSON, pod: JSON) -> Verdict:
    """What the pod failure policy says of a failed pod."""
    meta = pod["metadata"]
    policy = job["spec"].get("podFailurePolicy") or {}
    for number, rule in enumerate(policy.get("rules") or ()):
        action = rule["action"]
        end = f"matching {action} rule at index {number}"
        if rule.get("onExitCodes") is not None:
            container = _by_exit_code(pod, rule["onExitCodes"])
            if container is None:
                continue
            code = container["state"]["terminated"]["exitCode"]
            where = f"{meta['namespace']}/{meta['name']}"
            text = f"Container {container['name']} for pod {where} failed with exit code {code} "
        else:
            condition = _by_condition(pod, rule.get("onPodConditions") or ())
            if condition is None:
                continue
            text = f"Pod {meta['namespace']}/{meta['name']} has condition {condition['type']} "
        if action == "FailJob":
            return Verdict(text + end, action=action)
        return Verdict(counts=action != "Ignore", action=action)
    return Verdict()


def _by_exit_code(pod: JSON, wanted: JSON) -> JSON | None:
    status = pod["status"]
    for field in ("containerStatuses", "initContainerStatuses"):
        for found in status.get(field) or ():
            ended = (found.get("state") or {}).get("terminated")
            if ended is None or not ended.get("exitCode"):
                continue
            if wanted.get("containerName") not in (None, found["name"]):
                continue
            listed = ended["exitCode"] in wanted["values"]
            if listed == (wanted["operator"] == "In"):
                result: JSON = found
                return result
    return None


def _by_condition(pod: JSON, patterns: Iterable[JSON]) -> JSON | None:
    for condition in pod["status"].get("conditions") or ():
        for pattern in patterns:
            same = condition["type"] == pattern["type"]
            if same and condition["status"] == pattern.get("status", "True"):
                result: JSON = condition
                return result
    return None


def success(job: JSON, succeeded: Collection[int]) -> str | None:
    """The message of the rule by which a Job has succeeded."""
    policy, completions = job["spec"].get("successPolicy"), job["spec"]["completions"]
    if policy is None or not succeeded:
        return None
    for number, rule in enumerate(policy["rules"]):
        count = rule.get("succeededCount")
        if rule.get("succeededIndexes") is not None:
            wanted = job_indexes.parse(rule["succeededIndexes"], completions)
            met = len(wanted.intersection(succeeded))
            if wanted and (met == len(wanted) or (count is not None and met >= count)):
                return f"Matched rules at index {number}"
        elif count is not None and len(succeeded) >= count:
            return f"Matched rules at index {number}"
    return None


def ended_at(pod: JSON) -> float:
    """When a pod has ended, in Unix seconds, by the best that is known."""
    states = [
        (each.get("state") or {}).get("terminated") or {}
        for each in pod["status"].get("containerStatuses") or ()
    ]
    if states and all(state.get("finishedAt") for state in states):
        return max(time.parse(state["finishedAt"]).timestamp() for state in states)
    ready = podstatus.condition(pod, "Ready")
    if ready is not None and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return time.parse(ready["lastTransitionTime"]).timestamp()
    meta = pod["metadata"]
    if "deletionTimestamp" in meta:
        grace = meta.get("deletionGracePeriodSeconds") or 0
        return time.parse(meta["deletionTimestamp"]).timestamp() - grace
    return podstatus.created(pod)


def backed_off(before: Backoff, succeeded: Collection[JSON], failed: Collection[JSON]) -> Backoff:
    """The failures since the last success, with pods that have just ended."""
    times = [ended_at(pod) for pod in failed]
    if not succeeded:
        if not times:
            return before
        return Backoff(before.failures + len(times), max(times))
    last = max(ended_at(pod) for pod in succeeded)
    later = [when for when in times if when > last]
    return Backoff(len(later), max(later, default=0.0))


def wait(backoff: Backoff, now: float) -> float:
    """Seconds until the next pod may be created."""
    if not backoff.failures:
        return 0.0
    steps = min(backoff.failures - 1, 10)
    longest: float = min(BACKOFF_SECONDS * 2**steps, LONGEST_BACKOFF_SECONDS)
    return max(0.0, longest - (now - backoff.last))
