"""The status that the facts ask for, the smallest patch that gets there, and when to write it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hourglass_kube.text import cut
from hourglass_kube.types import JSON
from hourglass_operator.api import CONDITIONS_LIMIT, MESSAGE_LIMIT
from hourglass_operator.controller.event_recorder import record_events
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import PendingStatus, Write
from hourglass_operator.controller.rival import is_contested
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.views import timestamp
from hourglass_operator.resources import names
from hourglass_operator.resources.resizable import as_resources
from hourglass_statemachine import Condition, Facts, Phase, Progress, Serving, stamp, verdicts


@dataclass(frozen=True, slots=True)
class StatusPlan:
    """The status write, and the Events that report it.

    `pending`: the status whose write is held back; `requeue_at`: until when (seconds).
    """

    writes: tuple[Write, ...] = ()
    events: tuple[Write, ...] = ()
    pending: PendingStatus | None = None
    requeue_at: float | None = None


def plan_status(
    seen: Observation, facts: Facts, phase: Phase, settings: Settings, *, alone: bool = True
) -> StatusPlan:
    """The write of the status, unless it is as it should be; `alone`: no other write on the
    Performer comes before it.

    A change that leaves the phase alone must last for a moment: often the next one overtakes it.
    One that goes on changing is written all the same when it has been held back for long. A phase
    that changes again and again rests in between, see `phase_changes`; the end is always written.
    """
    wanted = wanted_status(seen, facts, phase)
    changes = patch(seen.status_fields, wanted)
    if not changes:
        return StatusPlan()
    contest = seen.memory.contest
    if contest is not None and is_contested(seen) and seen.now < contest.next_write:
        return StatusPlan(requeue_at=contest.next_write)
    if seen.status.phase == phase:
        reasons = tuple(condition["reason"] for condition in wanted["conditions"])
        pending = _pending(seen.memory.pending_status, reasons, seen.now)
        due = min(pending.since + settings.status_delay, pending.first + settings.status_limit)
        if seen.now < due:
            return StatusPlan(pending=pending, requeue_at=due)
    elif seen.phase_rests_until is not None and phase is not Phase.TERMINATING:
        due = seen.phase_rests_until
        if seen.now < due:
            return StatusPlan(pending=seen.memory.pending_status, requeue_at=due)
    performer = seen.performer
    # The changes are to the status that was seen, and times in it come from there: whoever has not
    # seen the latest one must not write. A write before this one has the same condition.
    version = {"resourceVersion": performer.version} if alone else {}
    body = {"metadata": {"uid": performer.uid, **version}, "status": changes}
    write = Write("patch", "performers", performer.namespace, performer.name, body, "status")
    events = record_events(seen, facts, phase, wanted["conditions"][-1]["message"])
    return StatusPlan((write,), tuple(events))


def _pending(before: PendingStatus | None, reasons: tuple[str, ...], now: float) -> PendingStatus:
    if before is None:
        return PendingStatus(reasons, first=now, since=now)
    return before if before.reasons == reasons else replace(before, reasons=reasons, since=now)


def wanted_status(seen: Observation, facts: Facts, phase: Phase) -> JSON:
    """The whole status as JSON; fields without a value are left out."""
    roles = seen.roles
    serving = Serving.NOTHING if facts.deleting else roles.serving
    pod = roles.serving_pod or roles.candidate or roles.lost
    stored = seen.status
    now = timestamp(seen.now)
    ready = serving is not Serving.NOTHING
    upgraded = serving is Serving.WANTED and stored.serving_template_hash not in (None, seen.wanted)
    value = {
        "phase": str(phase),
        "ready": ready,
        "observedGeneration": seen.performer.generation,
        "podName": pod.name if pod else None,
        "serviceName": names.service_name(seen.performer.name) if seen.service else None,
        "grpcEndpoint": (seen.endpoint or None) if seen.service else None,
        "nodeName": (pod.node or None) if pod else None,
        "resources": as_resources(pod.has) or None if pod else None,
        "templateHash": seen.wanted,
        "servingTemplateHash": _serving_template(seen, facts),
        "progressStartTime": _progress_start(seen, facts),
        "lastUpgrade": now if upgraded else stored.last_upgrade,
        "readyTime": ((stored.ready and stored.ready_time) or now) if ready else None,
        "conditions": _conditions(seen, facts, now),
    }
    return {field: found for field, found in value.items() if found is not None}


def patch(stored: Mapping[str, Any], wanted: JSON) -> JSON:
    """A JSON merge patch from the stored status to the wanted one; empty if they are equal."""
    changed = {k: v for k, v in wanted.items() if stored.get(k) != v}
    removed = {k: None for k in stored if k not in wanted}
    return changed | removed


def _serving_template(seen: Observation, facts: Facts) -> str | None:
    if facts.deleting:
        return seen.status.serving_template_hash
    as_wanted = facts.serving in (Serving.WANTED, Serving.LEAVING)
    return seen.wanted if as_wanted else seen.roles.replaced


def _progress_start(seen: Observation, facts: Facts) -> str | None:
    gated = facts.progress is Progress.GATED
    arrived = facts.serving is Serving.WANTED and not facts.resizing
    if facts.deleting or arrived or gated:
        return None
    return timestamp(seen.progress_start)


def _conditions(seen: Observation, facts: Facts, now: str) -> list[JSON]:
    stored = [
        Condition(
            type=c.type,
            status=c.status,
            reason=c.reason,
            message=c.message,
            last_transition_time=c.last_transition_time,
            observed_generation=c.observed_generation,
        )
        for c in seen.status.conditions
    ]
    stamped = stamp(verdicts(facts), stored, now, seen.performer.generation)
    return [
        {
            "type": c.type,
            "status": c.status,
            "observedGeneration": c.observed_generation,
            "lastTransitionTime": c.last_transition_time,
            "reason": c.reason,
            "message": cut(c.message, MESSAGE_LIMIT),
        }
        # Those of others come first; the operator's own must find room.
        for c in stamped[-CONDITIONS_LIMIT:]
    ]
