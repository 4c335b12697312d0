"""The finalizer: it keeps a deleted Performer until its pods have ended."""

from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.controller.settings import Settings
from hourglass_operator.resources import names


def is_set(seen: Observation) -> bool:
    """The Performer has the operator's finalizer."""
    return names.FINALIZER in seen.performer.finalizers


def release_at(seen: Observation, settings: Settings) -> float:
    """When (seconds) a deleted Performer no longer waits for its pods.

    A pod on a dead node never ends; without a limit it would hold the Performer for ever. A pod's
    deletionTimestamp is the end of its grace period.
    """
    if not seen.pods:
        return seen.now
    ends = [seen.now if pod.deleted is None else pod.deleted for pod in seen.pods]
    return max(ends) + settings.termination_slack


def set_finalizer(seen: Observation, *, present: bool) -> Write:
    """The write that adds or removes the operator's finalizer, and leaves those of others."""
    performer = seen.performer
    others = [name for name in performer.finalizers if name != names.FINALIZER]
    finalizers = [*others, names.FINALIZER] if present else others
    # The patch replaces the list: the version makes sure that nobody else's finalizer is lost.
    body = {"metadata": {"resourceVersion": performer.version, "finalizers": finalizers}}
    return Write("patch", "performers", performer.namespace, performer.name, body)
