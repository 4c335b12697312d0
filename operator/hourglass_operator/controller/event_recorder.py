"""Kubernetes Events for what a person wants to find in `kubectl describe performer`."""

from collections.abc import Sequence

from hourglass_kube.text import cut_bytes
from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, VERSION
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.controller.views import timestamp
from hourglass_statemachine import Facts, Phase, Reason, Serving

COMPONENT = "hourglass-performer-operator"

_NOTE_LIMIT = 1024
"""Bytes, as Go counts; the API server refuses longer notes:
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/events.go
"""

_AFTER_STATUS = 10
"""More Events than a status write has: the names of a pass's Events must differ."""

_ANY_TEE = (
    "spec.hardwareRequirements.teeRequired is true without teeType: any TEE will do;"
    " set teeType to ask for one kind"
)


def record_events(seen: Observation, facts: Facts, phase: Phase, message: str) -> list[Write]:
    """The Events that report a status write; `message` is the summary of the new conditions.

    Only transitions are recorded: a phase is reached, or a problem appears that the stored
    conditions do not name yet. A Performer that comes up without trouble causes one event. What is
    odd about a spec is recorded once, with the first status of its generation.
    """
    recorded: list[tuple[str, str, str]] = []
    reported = {condition.reason for condition in seen.status.conditions}
    hardware = seen.spec.hardware_requirements
    if not reported and hardware.tee_required and not hardware.tee_type:
        recorded.append(("Warning", "TEETypeMissing", _ANY_TEE))
    known = seen.status_fields.get("observedGeneration") == seen.performer.generation
    if seen.requirement and seen.requirement.conflict and not known and not facts.deleting:
        recorded.append(("Warning", "GPUCountIgnored", seen.requirement.conflict))
    reached = phase != seen.status.phase
    problem = _problem(facts)
    if problem is not None:
        # That a repair is undone is reported by `record_undone_repairs`, with the first try.
        known = problem[0] in reported or problem[0] is Reason.REPAIR_UNDONE
        if not known or (reached and phase is Phase.FAILED):
            recorded.append(("Warning", str(problem[0]), problem[1]))
    elif reached and phase not in (Phase.PENDING, Phase.TERMINATING):
        recorded.append(("Normal", str(phase), message))
    return [_event(seen, index, *words) for index, words in enumerate(recorded)]


def record_undone_repairs(seen: Observation, messages: Sequence[str]) -> list[Write]:
    """The Events that say which repairs do not last, and what undoes them."""
    return [
        _event(seen, _AFTER_STATUS + index, "Warning", "RepairUndone", message)
        for index, message in enumerate(messages)
    ]


def _problem(facts: Facts) -> tuple[Reason, str] | None:
    if facts.deleting:
        return None
    if facts.fault is not None:
        return facts.fault.reason, facts.fault.message
    if facts.deadline_exceeded and facts.serving is not Serving.WANTED:
        late = f"the progress deadline has passed: {facts.detail}"
        return Reason.PROGRESS_DEADLINE_EXCEEDED, late
    if facts.impaired:
        return facts.impaired.reason, facts.impaired.message
    return None


def _event(seen: Observation, index: int, kind: str, reason: str, note: str) -> Write:
    performer = seen.performer
    moment = timestamp(seen.now)
    # client-go's form: the object's name and the time in nanoseconds.
    name = f"{performer.name}.{int(seen.now * 1e9) + index:x}"
    body: JSON = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": performer.namespace},
        "involvedObject": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "namespace": performer.namespace,
            "name": performer.name,
            "uid": performer.uid,
        },
        "type": kind,
        "reason": reason,
        "message": cut_bytes(note, _NOTE_LIMIT),
        "source": {"component": COMPONENT},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
    return Write("create", "events", performer.namespace, name, body)
