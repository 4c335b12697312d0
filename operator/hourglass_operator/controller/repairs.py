"""Repairs of what has drifted: made at once, but not again and again when they do not last.

A mutating webhook or a policy engine can change a field on every write: the answer to the repair
says so. Another controller can change it back a moment later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hourglass_kube.backoff import backoff
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import FIGHT, KINDS, Outcome, Repair, Write
from hourglass_operator.controller.settings import Settings
from hourglass_operator.resources.drift import Drift, once
from hourglass_operator.resources.names import selector


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """Writes to make, what to report of those that do not last, and what to remember of them.

    `requeue_at`: when (seconds) one that is put off is due though nothing changes.
    """

    writes: tuple[Write, ...] = ()
    messages: tuple[str, ...] = ()
    remembered: tuple[Repair, ...] = ()
    requeue_at: float | None = None


def plan_repairs(seen: Observation, wanted: Sequence[Write], settings: Settings) -> RepairPlan:
    """Which of the writes to make now: those that repair nothing, and repairs that are due."""
    writes: list[Write] = []
    messages: list[str] = []
    waits: list[float] = []
    remembered = [
        past
        for past in seen.memory.repairs
        if not any(past.of(write.resource, write.name) for write in wanted)
        and seen.now - past.at < settings.repair_window
    ]
    for write in wanted:
        past = _past(seen.memory.repairs, write)
        if past is None or not write.drifts:
            writes.append(write)
            continue
        if not past.covers(write.drifts):
            writes.append(write)
            remembered.append(past)
            continue
        if not past.reported and past.undone:
            messages.append(_message(write, past))
            past = replace(past, reported=True)
        remembered.append(past)
        unchanged = (past.resource, past.name) not in seen.changed
        if past.in_vain and unchanged and not _cut_off(seen, write):
            # What undoes the repair does so at every write: only a change may have ended that.
            continue
        due = _due(past, settings, unchanged=unchanged)
        if seen.now < due:
            waits.append(due)
        else:
            writes.append(write)
    return RepairPlan(tuple(writes), tuple(messages), tuple(remembered), min(waits, default=None))


def cut_off(seen: Observation, wanted: Sequence[Write]) -> str:
    """What keeps clients from the pod though it was repaired, for a person; empty if nothing does.

    `wanted`: the repairs that are to be made.
    """
    lasting = [
        _message(write, past)
        for write in wanted
        if (past := _past(seen.memory.repairs, write)) is not None
        and past.covers(write.drifts)
        and past.undone
        and _cut_off(seen, write)
    ]
    return "; ".join(lasting)


def repaired(repairs: tuple[Repair, ...], outcome: Outcome, now: float) -> tuple[Repair, ...]:
    """What to remember after the answer to a write; `repairs` has been remembered so far."""
    write = outcome.write
    if not write.drifts or not outcome.succeeded or outcome.body is None:
        return repairs
    past = _past(repairs, write)
    left = tuple(drift for drift in write.drifts if drift.persists_in(outcome.body))
    drifts = left or write.drifts
    again = past is not None and past.covers(drifts)
    repair = Repair(
        resource=write.resource,
        name=write.name,
        paths=once(tuple(drift.path for drift in drifts)),
        in_vain=bool(left),
        version=outcome.body["metadata"]["resourceVersion"],
        tries=past.tries + 1 if past is not None and again else 1,
        at=now,
        reported=past is not None and again and past.reported,
    )
    return (*(other for other in repairs if other is not past), repair)


def _past(repairs: Sequence[Repair], write: Write) -> Repair | None:
    return next((each for each in repairs if each.of(write.resource, write.name)), None)


def _due(past: Repair, settings: Settings, *, unchanged: bool) -> float:
    """When (seconds) the same may be repaired again."""
    if past.in_vain:
        # Clients wait where nothing but time may end it: whoever ends a policy touches no object.
        limit = settings.replacement_limit if unchanged else settings.repair_limit
        return past.at + backoff(settings.repair_base, limit, past.tries - 1)
    if not past.undone:
        # Twice at once: people make the same mistake again.
        return past.at
    return past.at + backoff(settings.retry_base, settings.replacement_limit, past.tries - FIGHT)


def _cut_off(seen: Observation, write: Write) -> bool:
    """Whether this is of the Service or of a pod that serves or shall, and keeps clients away."""
    needed = {pod.name for pod in (seen.roles.serving_pod, seen.roles.candidate) if pod}
    if write.resource == "pods" and write.name not in needed:
        return False
    return any(map(leads_away, write.drifts))


def leads_away(drift: Drift) -> bool:
    """With this, the Service does not lead to the pod, or not at the port that clients know."""
    match drift.path:
        case ("spec", "selector", _):
            return True
        case ("spec", "type"):
            return drift.found == "ExternalName"
        case ("spec", "ports", _, field):
            return field in ("port", "targetPort", "protocol")
        case ("metadata", "labels", key):
            return key in selector("")
    return False


def _message(write: Write, past: Repair) -> str:
    kind = KINDS[write.resource]
    fields = ", ".join(
        f"{drift.field} is {drift.found} instead of {drift.wanted}" for drift in write.drifts
    )
    if past.in_vain:
        return (
            f"{kind} {write.name} cannot be repaired: {fields}; a mutating webhook or policy sets"
            " it at every write"
        )
    return (
        f"{kind} {write.name} is changed again after every repair: {fields}; kubectl get"
        f" {kind.lower()} {write.name} -o yaml --show-managed-fields says by whom"
    )
