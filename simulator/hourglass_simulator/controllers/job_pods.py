"""The pods of a Job: the finalizer that keeps them until they are counted, which are too many.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/job/job_controller.go
"""

from collections.abc import Sequence
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.controllers import job_indexes, podstatus

FINALIZER = "batch.kubernetes.io/job-tracking"


def has_finalizer(pod: JSON) -> bool:
    """Whether a pod waits until its Job has counted it."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def surplus(job: JSON, active: Sequence[JSON], least: int, now: float) -> list[JSON]:
    """Active pods to remove: of an index twice, beyond the last index, and then any."""
    doomed: list[JSON] = []
    left = list(active)
    if job_indexes.is_indexed(job):
        left = []
        by_index: dict[int | None, list[JSON]] = {}
        for pod in active:
            by_index.setdefault(job_indexes.index(pod), []).append(pod)
        for number, pods in sorted(by_index.items(), key=lambda each: each[0] or 0):
            if number is None or number >= job["spec"]["completions"]:
                doomed += pods
            else:
                ordered = podstatus.first_to_delete(pods, (), now)
                doomed += ordered[:-1]
                left.append(ordered[-1])
    if len(doomed) < least:
        ordered = podstatus.first_to_delete(left, (), now)
        doomed += ordered[: least - len(doomed)]
    return doomed


_ALWAYS_PRINTED = ("ready", "terminating", "uncountedTerminatedPods", "failedIndexes")


def printed(status: JSON) -> JSON:
    """The status as Go prints it."""
    uncounted: dict[str, Any] = {k: v for k, v in status["uncountedTerminatedPods"].items() if v}
    shown = {**status, "uncountedTerminatedPods": uncounted}
    return {k: v for k, v in shown.items() if v or (k in _ALWAYS_PRINTED and v is not None)}
