"""The status of a Job, and how it may change.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/batch/validation/validation.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import object_meta
from hourglass_simulator.apiserver.rules.fault import (
    OMITTED,
    Faults,
    FieldError,
    duplicate,
    invalid,
    non_negatives,
    required,
)
from hourglass_simulator.apiserver.rules.go_text import printed
from hourglass_simulator.apiserver.rules.job_policies import interval, number_of


class _Change:
    """A status, the one before, and what differs."""

    def __init__(self, new: JSON, old: JSON) -> None:
        self.spec = new["spec"]
        self.now, self.before = (obj.get("status") or {} for obj in (new, old))

    def is_now(self, *kinds: str, state: str = "True") -> bool:
        """Whether a condition of one of the types has a state."""
        return _has(self.now, kinds, state)

    def was(self, *kinds: str) -> bool:
        """Whether a condition of one of the types was true."""
        return _has(self.before, kinds, "True")

    def flipped(self, *kinds: str) -> bool:
        """Whether conditions of the types have changed."""
        return self.is_now(*kinds) != self.was(*kinds)

    def changed(self, *fields: str) -> bool:
        """Whether one of the fields has changed."""
        return any((self.now.get(f) or None) != (self.before.get(f) or None) for f in fields)


def _has(status: JSON, kinds: tuple[str, ...], state: str) -> bool:
    return any(
        condition.get("type") in kinds and condition.get("status") == state
        for condition in status.get("conditions") or ()
    )


def job_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "jobs")
    change = _Change(new, old)
    counts = ("active", "succeeded", "failed", "ready", "terminating")
    yield from non_negatives("status", change.now, *counts)
    uncounted = change.now.get("uncountedTerminatedPods") or {}
    for field in ("succeeded", "failed"):
        yield from _uids(f"status.uncountedTerminatedPods.{field}", uncounted.get(field) or [])
    yield from _ends(change)
    yield from _finished(change)
    yield from _indexes(change)
    yield from _success(change)
    yield from _forward(change)


def _uids(path: str, uids: list[str]) -> Faults:
    seen: set[str] = set()
    for index, uid in enumerate(uids):
        if not uid:
            yield invalid(f"{path}[{index}]", uid, "must not be empty")
        elif uid in seen:
            yield duplicate(f"{path}[{index}]", uid)
        seen.add(uid)


def _conditions(why: str) -> FieldError:
    return invalid("status.conditions", OMITTED, why)


def _ends(change: _Change) -> Faults:
    complete, failed = change.is_now("Complete"), change.is_now("Failed")
    completed, path = change.flipped("Complete"), "status.completionTime"
    if (completed or change.flipped("Failed")) and complete and failed:
        yield _conditions("cannot set Complete=True and Failed=true conditions")
    target = change.is_now("FailureTarget")
    if (completed or change.flipped("FailureTarget")) and complete and target:
        yield _conditions("cannot set Complete=True and FailureTarget=true conditions")
    end, start = change.now.get("completionTime"), change.now.get("startTime")
    if completed or change.changed("completionTime"):
        if end and not complete:
            why = "cannot set completionTime when there is no Complete=True condition"
            yield invalid(path, end, why)
        if not end and complete:
            yield required(path, "completionTime is required for Complete jobs")
    if change.changed("startTime", "completionTime") and start and end and end < start:
        yield invalid(path, end, "must be equal to or after `startTime`")
    if (change.flipped("Failed") or change.changed("failedIndexes")) and failed and not target:
        yield _conditions(
            "cannot set Failed=True condition without the FailureTarget=true condition"
        )
    met = change.is_now("SuccessCriteriaMet")
    if (completed or change.flipped("SuccessCriteriaMet")) and complete and not met:
        yield _conditions(
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        )


def _finished(change: _Change) -> Faults:
    if not change.is_now("Complete", "Failed"):
        return
    now, ended = change.now, change.flipped("Complete", "Failed")
    active = now.get("active") or 0
    if (ended or change.changed("active")) and active > 0:
        yield invalid("status.active", active, "active>0 is invalid for finished job")
    nothing_to_do = change.spec.get("suspend") and change.spec.get("completions") == 0
    starts = (ended or change.changed("startTime")) and not nothing_to_do
    if starts and not now.get("startTime"):
        yield required("status.startTime", "startTime is required for finished job")
    pods = now.get("uncountedTerminatedPods") or {}
    if (ended or change.changed("uncountedTerminatedPods")) and any(pods.values()):
        shown = printed("batch.UncountedTerminatedPods", pods)
        yield invalid("status.uncountedTerminatedPods", shown, "must be empty for finished job")


def _parsed(field: str, text: str, completions: int) -> Faults:
    try:
        number_of(text, completions)
    except ValueError as error:
        yield invalid(f"status.{field}", text, f"error parsing {field}: {error}")


def _indexes(change: _Change) -> Faults:
    completed, failed = change.now.get("completedIndexes") or "", change.now.get("failedIndexes")
    completions, per_index = (change.spec.get(f) for f in ("completions", "backoffLimitPerIndex"))
    counted = completions is not None
    new_completed, new_failed = change.changed("completedIndexes"), change.changed("failedIndexes")
    if new_completed and counted:
        yield from _parsed("completedIndexes", completed, completions)
    if new_failed and counted and per_index is not None and failed is not None:
        yield from _parsed("failedIndexes", failed, completions)
    if new_completed and completed and change.spec.get("completionMode") != "Indexed":
        why = "cannot set non-empty completedIndexes when non-indexed completion mode"
        yield invalid("status.completedIndexes", completed, why)
    if new_failed and per_index is None and failed is not None:
        why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        yield invalid("status.failedIndexes", failed, why)
    if (new_failed or new_completed) and counted and failed is not None:
        at = _overlap(completed, failed, completions)
        if at is not None:
            why = f"failedIndexes and completedIndexes overlap at index: {at}"
            yield invalid("status.failedIndexes", failed, why)
    finished = change.is_now("Complete", "Failed")
    ended, now = change.flipped("Complete", "Failed"), change.now
    terminating = now.get("terminating") or 0
    if (ended or change.changed("terminating")) and terminating > 0 and finished:
        why = "terminating>0 is invalid for finished job"
        yield invalid("status.terminating", terminating, why)
    ready = now.get("ready")
    if change.changed("ready", "active") and ready is not None and ready > (now.get("active") or 0):
        yield invalid("status.ready", ready, "cannot set more ready pods than active")


def _overlap(completed: str, failed: str, completions: int) -> int | None:
    """The first index that is in both lists."""
    for start, end in _intervals(completed, completions):
        for first, last in _intervals(failed, completions):
            if start <= last and first <= end:
                return max(start, first)
    return None


def _intervals(text: str, completions: int) -> Iterator[tuple[int, int]]:
    for part in text.split(",") if text else ():
        try:
            yield interval(part, completions)
        except ValueError:
            continue


def _success(change: _Change) -> Faults:
    met = change.is_now("SuccessCriteriaMet")
    if met and change.is_now("Failed"):
        yield _conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions")
    if met and change.is_now("FailureTarget"):
        yield _conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    if change.spec.get("successPolicy") is not None and not met and change.is_now("Complete"):
        yield _conditions(
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        )


def _forward(change: _Change) -> Faults:
    """What may only grow, or be set once."""
    for kind in ("Failed", "Complete", "FailureTarget"):
        if change.was(kind) and not change.is_now(kind):
            yield _conditions(f"cannot disable the terminal {kind}=True condition")
    now, before, spec = change.now, change.before, change.spec
    scaled = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get(
        "parallelism"
    )
    for field in ("failed",) if scaled else ("failed", "succeeded"):
        count = now.get(field) or 0
        if count < (before.get(field) or 0):
            yield invalid(f"status.{field}", count, f"cannot decrease the {field} counter")
    end, then = now.get("completionTime"), before.get("completionTime")
    if end and then and end != then:
        yield invalid("status.completionTime", end, "field is immutable")
    resumed = change.was("Suspended") and change.is_now("Suspended", state="False")
    moved = change.changed("startTime") and not resumed and before.get("startTime")
    if moved and not spec.get("suspend"):
        yield required("status.startTime", "startTime cannot be removed for unsuspended job")
    met = change.is_now("SuccessCriteriaMet")
    if change.was("SuccessCriteriaMet") and not met:
        yield _conditions("cannot disable the SuccessCriteriaMet=True condition")
    if change.was("Complete") and not change.was("SuccessCriteriaMet") and met:
        yield _conditions(
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        )
