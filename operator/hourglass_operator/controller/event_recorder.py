"""Kubernetes Events for what a person wants to find in `kubectl describe performer`."""

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, VERSION
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.controller.views import timestamp
from hourglass_statemachine import Facts, Phase, Reason, Serving

COMPONENT = "hourglass-performer-operator"

# The API server refuses longer ones:
# https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
_NOTE_LIMIT = 1024

_ANY_TEE = (
    "spec.hardwareRequirements.teeRequired is true without teeType: any TEE will do;"
    " set teeType to ask for one kind"
)


def record_events(seen: Observation, facts: Facts, phase: Phase, message: str) -> list[Write]:
    """The Events to record with a status write; `message` is the summary of the new conditions.

    Only transitions are recorded: a phase is reached, or a problem appears that the stored
    conditions do not name yet. A Performer that comes up without trouble causes one event.
    """
    recorded: list[tuple[str, str, str]] = []
    reported = {condition.reason for condition in seen.status.conditions}
    hardware = seen.spec.hardware_requirements
    if not reported and hardware.tee_required and not hardware.tee_type:
        recorded.append(("Warning", "TEETypeMissing", _ANY_TEE))
    reached = phase != seen.status.phase
    problem = _problem(facts)
    if problem is not None:
        if problem[0] not in reported or (reached and phase is Phase.FAILED):
            recorded.append(("Warning", str(problem[0]), problem[1]))
    elif reached and phase is not Phase.PENDING:
        recorded.append(("Normal", str(phase), message))
    return [_event(seen, index, *words) for index, words in enumerate(recorded)]


def _problem(facts: Facts) -> tuple[Reason, str] | None:
    if facts.deleting:
        return None
    if facts.fault is not None:
        return facts.fault.reason, facts.fault.message
    if facts.deadline_exceeded and facts.serving is not Serving.WANTED:
        late = f"the progress deadline has passed: {facts.detail}"
        return Reason.PROGRESS_DEADLINE_EXCEEDED, late
    if facts.lost_hardware:
        return Reason.HARDWARE_UNAVAILABLE, facts.lost_hardware
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
        "message": note if len(note) <= _NOTE_LIMIT else note[: _NOTE_LIMIT - 1] + "…",
        "source": {"component": COMPONENT},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
    return Write("create", "events", performer.namespace, name, body)
