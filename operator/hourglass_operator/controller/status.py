"""The status that the facts ask for, and the smallest patch that gets there."""

from typing import Any

from hourglass_operator.api import PerformerStatus
from hourglass_operator.controller.assess import (
    candidate_pod,
    lost_pod,
    progress_start,
    replaces,
    serving_pod,
)
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.views import timestamp
from hourglass_operator.resources import names
from hourglass_statemachine import Condition, Facts, Phase, Serving, stamp, verdicts


def status(seen: Observation, facts: Facts, phase: Phase) -> dict[str, Any]:
    """The whole status as JSON; fields without a value are left out."""
    serving, pod = serving_pod(seen)
    if facts.deleting:
        serving = Serving.NOTHING
    pod = pod or candidate_pod(seen) or lost_pod(seen)
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


def patch(stored: PerformerStatus, wanted: dict[str, Any]) -> dict[str, Any]:
    """A JSON merge patch from the stored status to the wanted one; empty if they are equal."""
    before = stored.model_dump(by_alias=True, exclude_none=True, mode="json")
    if not before.get("conditions"):
        before.pop("conditions", None)
    changed = {k: v for k, v in wanted.items() if before.get(k) != v}
    removed = {k: None for k in before if k not in wanted}
    return changed | removed


def _serving_template(seen: Observation, facts: Facts) -> str | None:
    if facts.deleting:
        return seen.status.serving_template_hash
    return seen.wanted if facts.serving is Serving.WANTED else replaces(seen)


def _progress_start(seen: Observation, facts: Facts) -> str | None:
    if facts.deleting or facts.serving is Serving.WANTED:
        return None
    return timestamp(progress_start(seen))


def _conditions(seen: Observation, facts: Facts, now: str) -> list[dict[str, Any]]:
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
