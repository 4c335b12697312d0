"""The conditions of a Performer: one row of the table of situations for any facts.

The rules for `lastTransitionTime` and `observedGeneration` are those of metav1.Condition:
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from hourglass_statemachine.facts import Facts, Progress, Serving
from hourglass_statemachine.reason import Reason


class ConditionType(StrEnum):
    """The condition types, in the order in which they are listed; the summary comes last.

    Reconciling and Stalled are there only while they are true: kstatus, by which Flux and others
    judge, knows them from all resources.
    https://github.com/kubernetes-sigs/cli-utils/blob/v0.37.2/pkg/kstatus/README.md#conditions
    """

    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    READY = "Ready"


_OURS = frozenset(map(str, ConditionType))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds now of one condition type."""

    type: str
    status: bool
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A metav1.Condition; `last_transition_time` is RFC 3339."""

    type: str
    status: str
    reason: str
    message: str
    last_transition_time: str
    observed_generation: int | None


def verdicts(facts: Facts) -> tuple[Verdict, ...]:
    """Available, Progressing, Degraded, Reconciling or Stalled or neither, and Ready."""
    available = _available(facts)
    degraded = _degraded(facts)
    progressing = _with_evictions(facts, _progressing(facts))
    messages = [available.message]
    if progressing.reason is Reason.RESIZE_IN_PROGRESS:
        messages.append(progressing.message)
    if degraded.status and degraded.message not in available.message:
        messages.append(degraded.message)
    summary = "; ".join(messages)
    return (
        available,
        progressing,
        degraded,
        *_abnormal(facts, progressing),
        Verdict(ConditionType.READY, available.status, available.reason, summary),
    )


def _available(facts: Facts) -> Verdict:
    def verdict(status: bool, reason: Reason, message: str) -> Verdict:
        return Verdict(ConditionType.AVAILABLE, status, reason, message)

    if facts.deleting:
        return verdict(False, Reason.TERMINATING, facts.detail)
    if facts.serving is not Serving.NOTHING:
        return verdict(True, Reason.POD_READY, facts.detail)
    if facts.fault:
        return verdict(False, facts.fault.reason, facts.fault.message)
    if facts.upgrading and facts.progress is not Progress.GATED:
        return verdict(False, Reason.UPGRADE_IN_PROGRESS, facts.detail)
    waiting = {
        Progress.POD_PENDING: Reason.POD_PENDING,
        Progress.GATED: Reason.SCHEDULING_GATED,
        Progress.SCHEDULED: Reason.SCHEDULED,
        Progress.POD_READY: Reason.ENDPOINTS_NOT_READY,
    }
    return verdict(False, waiting[facts.progress], facts.detail)


def _progressing(facts: Facts) -> Verdict:
    def verdict(status: bool, reason: Reason, message: str) -> Verdict:
        return Verdict(ConditionType.PROGRESSING, status, reason, message)

    if facts.deleting:
        return verdict(True, Reason.TERMINATING, facts.detail)
    if facts.serving is Serving.WANTED and facts.resizing:
        return verdict(True, Reason.RESIZE_IN_PROGRESS, facts.resizing)
    if facts.serving is Serving.WANTED:
        return verdict(False, Reason.SERVICE_READY, facts.detail)
    message = facts.fault.message if facts.fault else facts.detail
    if facts.stuck and facts.fault and facts.fault.permanent:
        return verdict(False, facts.fault.reason, message)
    if facts.serving is Serving.LEAVING and facts.deadline_exceeded:
        let = f"the pod may be evicted, as no successor served in time: {message}"
        return verdict(False, Reason.PROGRESS_DEADLINE_EXCEEDED, let)
    if facts.serving is Serving.LEAVING:
        return verdict(True, Reason.MOVE_IN_PROGRESS, message)
    if facts.deadline_exceeded:
        exceeded = f"the progress deadline has passed: {message}"
        return verdict(False, Reason.PROGRESS_DEADLINE_EXCEEDED, exceeded)
    if facts.upgrading or facts.serving is not Serving.NOTHING:
        return verdict(True, Reason.UPGRADE_IN_PROGRESS, message)
    if facts.fault:
        return verdict(True, facts.fault.reason, message)
    on_the_way = {
        Progress.POD_PENDING: Reason.POD_PENDING,
        Progress.GATED: Reason.SCHEDULING_GATED,
        Progress.SCHEDULED: Reason.SCHEDULED,
        Progress.POD_READY: Reason.POD_READY,
    }
    return verdict(True, on_the_way[facts.progress], message)


def _with_evictions(facts: Facts, progressing: Verdict) -> Verdict:
    """Also that the pod may be evicted, unless that is said already."""
    said = facts.serving is Serving.LEAVING and facts.deadline_exceeded
    if said or facts.deleting or not facts.evictable:
        return progressing
    let = "the pod may be evicted, as no drain waits for longer"
    return replace(progressing, message=f"{progressing.message}; {let}")


def _degraded(facts: Facts) -> Verdict:
    def verdict(status: bool, reason: Reason, message: str) -> Verdict:
        return Verdict(ConditionType.DEGRADED, status, reason, message)

    if facts.deleting or facts.serving is Serving.NOTHING:
        return verdict(False, Reason.NOT_AVAILABLE, "nothing serves, so nothing is degraded")
    if facts.serving is Serving.WANTED and facts.fault:
        return verdict(True, facts.fault.reason, facts.fault.message)
    change = "move" if facts.serving is Serving.LEAVING else "upgrade"
    if facts.fault:
        return verdict(True, facts.fault.reason, f"the {change} is held up: {facts.fault.message}")
    if facts.serving is not Serving.WANTED and facts.deadline_exceeded:
        late = f"the {change} has not finished within its progress deadline"
        return verdict(True, Reason.PROGRESS_DEADLINE_EXCEEDED, late)
    if facts.impaired:
        return verdict(True, facts.impaired.reason, facts.impaired.message)
    return verdict(False, Reason.AS_EXPECTED, "everything is as the spec asks")


def _abnormal(facts: Facts, progressing: Verdict) -> Iterator[Verdict]:
    """What Progressing says, for those who do not know it.

    A move that is late is not stalled: what serves is what the spec asks for.
    """
    if progressing.status:
        yield replace(progressing, type=ConditionType.RECONCILING)
    elif facts.serving not in (Serving.WANTED, Serving.LEAVING):
        yield replace(progressing, type=ConditionType.STALLED, status=True)


def stamp(
    current: Iterable[Verdict], stored: Iterable[Condition], now: str, generation: int | None
) -> tuple[Condition, ...]:
    """Turn verdicts into conditions; `now` is RFC 3339.

    `last_transition_time` moves only when a status changes. Stored conditions of types that are
    not ours stay, before ours; those of ours that no verdict is on go.
    """
    by_type = {condition.type: condition for condition in stored}
    ours = []
    for verdict in current:
        before = by_type.get(verdict.type)
        status = "True" if verdict.status else "False"
        unchanged = before is not None and before.status == status
        ours.append(
            Condition(
                type=str(verdict.type),
                status=status,
                reason=str(verdict.reason),
                message=verdict.message,
                last_transition_time=before.last_transition_time if before and unchanged else now,
                observed_generation=generation,
            )
        )
    others = (condition for condition in by_type.values() if condition.type not in _OURS)
    return (*others, *ours)
