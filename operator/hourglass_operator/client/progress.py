"""Whether a Performer is where the executor wants it: decided from its status alone."""

from enum import Enum, auto
from typing import NamedTuple

from hourglass_operator.client.performer import Performer


class Outcome(Enum):
    """What to do next."""

    WAIT = auto()
    DONE = auto()
    FAILED = auto()


class Verdict(NamedTuple):
    """An outcome, with the reason and message of the condition that explains it."""

    outcome: Outcome
    reason: str
    message: str


_DELETED = Verdict(Outcome.FAILED, "Terminating", "it is being deleted")
_UNSEEN = Verdict(
    Outcome.WAIT,
    "",
    "the operator has not looked at it yet; is the operator running, and for this namespace?",
)


def readiness(performer: Performer) -> Verdict:
    """Whether clients are answered.

    Failed is final here: the operator sets it for faults that do not pass by themselves.
    """
    if performer.metadata.deletion_timestamp:
        return _DELETED
    if not _seen(performer, performer.metadata.generation):
        return _UNSEEN
    if performer.ready:
        return _because(Outcome.DONE, performer, "Ready")
    failed = performer.status.phase == "Failed"
    return _because(Outcome.FAILED if failed else Outcome.WAIT, performer, "Ready")


def upgrade(performer: Performer, generation: int) -> Verdict:
    """Whether a pod of the spec of this generation, or of a later one, serves."""
    if performer.metadata.deletion_timestamp:
        return _DELETED
    if not _seen(performer, generation):
        return _UNSEEN
    if performer.status.phase == "Running":
        return _because(Outcome.DONE, performer, "Ready")
    progressing = performer.condition("Progressing")
    given_up = progressing is not None and progressing.status == "False"
    return _on_its_way(performer, given_up=given_up)


def succession(performer: Performer, pod: str) -> Verdict:
    """Whether another pod than this one serves."""
    if performer.metadata.deletion_timestamp:
        return _DELETED
    if performer.ready and performer.status.pod_name not in (None, "", pod):
        return _because(Outcome.DONE, performer, "Ready")
    progressing = performer.condition("Progressing")
    given_up = progressing is not None and progressing.reason == "ProgressDeadlineExceeded"
    return _on_its_way(performer, given_up=given_up)


def _on_its_way(performer: Performer, *, given_up: bool) -> Verdict:
    """What holds a new pod up, and whether it may still come."""
    degraded = performer.condition("Degraded")
    held_up = degraded is not None and degraded.status == "True"
    failed = performer.status.phase == "Failed" or given_up
    return _because(
        Outcome.FAILED if failed else Outcome.WAIT,
        performer,
        "Degraded" if held_up else "Progressing",
    )


def summary(performer: Performer) -> Verdict:
    """The reason and message of Ready, whatever is waited for."""
    return _because(Outcome.WAIT, performer, "Ready")


def _seen(performer: Performer, generation: int) -> bool:
    return (performer.status.observed_generation or 0) >= generation


def _because(outcome: Outcome, performer: Performer, condition: str) -> Verdict:
    found = performer.condition(condition)
    return Verdict(outcome, found.reason if found else "", found.message if found else "")
