"""The finalizer: it keeps a deleted Performer until its pods have ended."""

from collections.abc import Iterable

from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.controller.settings import Settings
from hourglass_operator.resources import go_operator, names

_RELEASED = (names.FINALIZER, go_operator.FINALIZER)
"""The Go operator does not release its own any more where this one has taken over."""


def is_set(seen: Observation) -> bool:
    """The Performer has the operator's finalizer."""
    return names.FINALIZER in seen.performer.finalizers


def is_held(seen: Observation) -> bool:
    """A finalizer that this operator releases keeps the Performer."""
    return any(name in _RELEASED for name in seen.performer.finalizers)


def left(finalizers: Iterable[str]) -> list[str]:
    """Those of others, which stay when the operator releases a Performer."""
    return [name for name in finalizers if name not in _RELEASED]


def release_at(seen: Observation, settings: Settings) -> float:
    """When (seconds) a deleted Performer no longer waits for its pods.

    A pod on a dead node never ends; without a limit it would hold the Performer for ever. A pod's
    deletionTimestamp is the end of its grace period.
    """
    if not seen.draining:
        return seen.now
    ends = [seen.now if pod.deleted is None else pod.deleted for pod in seen.draining]
    return max(ends) + settings.termination_slack


def set_finalizer(seen: Observation, *, present: bool) -> Write:
    """The write that adds the operator's finalizer, or removes it and the Go operator's.

    Those of others stay.
    """
    before = seen.performer.finalizers
    finalizers = [*before, names.FINALIZER] if present else left(before)
    performer = seen.performer
    # The patch replaces the list: the version makes sure that nobody else's finalizer is lost.
    body = {"metadata": {"resourceVersion": performer.version, "finalizers": finalizers}}
    return Write("patch", "performers", performer.namespace, performer.name, body)
