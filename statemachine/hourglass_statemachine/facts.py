"""What is known about a Performer when its phase and conditions are decided."""

from dataclasses import dataclass
from enum import StrEnum

from hourglass_statemachine.reason import Reason


class Serving(StrEnum):
    """Which pod, if any, is Ready and a ready endpoint of the Service."""

    NOTHING = "nothing"
    PREVIOUS = "previous"
    """A pod of another template than the wanted one; perhaps a new one beside it."""
    LEAVING = "leaving"
    """A pod of the wanted template that is to move: its successor does not serve yet."""
    NEW = "new"
    """Only a pod of the wanted template, and the upgrade to it is not a success yet."""
    WANTED = "wanted"


class Progress(StrEnum):
    """How far the pod of the wanted template has come."""

    POD_PENDING = "pending"
    """There is no pod yet, or no scheduling verdict on it."""
    GATED = "gated"
    """Scheduling gates hold the pod back; no deadline runs."""
    SCHEDULED = "scheduled"
    POD_READY = "ready"
    """The pod is Ready, but not yet an endpoint of the Service, or not for long enough."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What keeps the wanted pod from serving, or from being relied upon.

    `message` is one or two sentences for a person. `permanent` says that the fault is not expected
    to mend itself, so that waiting without a word (phase Pending) would be a lie.
    """

    reason: Reason
    message: str
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the phase and the conditions depend on.

    `detail` is a sentence for a person on what `serving` and `progress` say in short, and for a
    deleted Performer on what its end waits for. `upgrading` holds while a pod of another template
    serves, or served when the change came and has not been succeeded yet. `deadline_exceeded`: the
    wanted template has not served within the progress deadline, or the successor of a pod that
    moves not within the time that its disruption waits. `impaired`: what serves lacks something
    that the spec asks for. `resizing`: how far the change of the resources of what serves has come,
    as a sentence; empty without one. `evictable`: evictions no longer wait for a pod that is to
    leave, though nothing has succeeded it.
    """

    deleting: bool = False
    serving: Serving = Serving.NOTHING
    upgrading: bool = False
    progress: Progress = Progress.POD_PENDING
    detail: str = ""
    fault: Fault | None = None
    deadline_exceeded: bool = False
    impaired: Fault | None = None
    resizing: str = ""
    evictable: bool = False

    @property
    def stuck(self) -> bool:
        """Nothing serves and nothing suggests that this changes by itself."""
        permanent = self.fault is not None and self.fault.permanent
        return self.serving is Serving.NOTHING and (permanent or self.deadline_exceeded)
