"""The status that the facts ask for, the smallest patch that gets there, and when to write it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.controller.event_recorder import record_events
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import PendingStatus, Write
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.views import timestamp
from hourglass_operator.resources import names
from hourglass_statemachine import Condition, Facts, Phase, Serving, stamp, verdicts


@dataclass(frozen=True, slots=True)
class StatusPlan:
    """The status write with its Events.

    `pending`: the status whose write is held back; `requeue_at`: until when (seconds).
    """

    writes: tuple[Write, ...] = ()
    pending: PendingStatus | None = None
    requeue_at: float | None = None


def plan_status(seen: Observation, facts: Facts, phase: Phase, settings: Settings) -> StatusPlan:
    """The write of the status, unless it is as it should be.

    A change that leaves the phase alone must last for a moment: often the next one overtakes it.
    One that goes on changing is written all the same when it has been held back for long.
    """
    wanted = wanted_status(seen, facts, phase)
    changes = patch(seen.status_fields, wanted)
    if not changes:
        return StatusPlan()
    if seen.status.phase == phase:
        reasons = tuple(condition["reason"] for condition in wanted["conditions"])
        pending = _pending(seen.memory.pending_status, reasons, seen.now)
        due = min(pending.since + settings.status_delay, pending.first + settings.status_limit)
        if seen.now < due:
            return StatusPlan(pending=pending, requeue_at=due)
    performer = seen.performer
    body = {"metadata": {"uid": performer.uid}, "status": changes}
    write = Write("patch", "performers", performer.namespace, performer.name, body, "status")
    return StatusPlan(
        (write, *record_events(seen, facts, phase, wanted["conditions"][-1]["message"]))
    )


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
    return seen.wanted if facts.serving is Serving.WANTED else seen.roles.replaced


def _progress_start(seen: Observation, facts: Facts) -> str | None:
    if facts.deleting or facts.serving is Serving.WANTED:
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
    return [
        {
            "type": c.type,
            "status": c.status,
            "observedGeneration": c.observed_generation,
            "lastTransitionTime": c.last_transition_time,
            "reason": c.reason,
            "message": c.message,
        }
        for c in stamp(verdicts(facts), stored, now, seen.performer.generation)
    ]
