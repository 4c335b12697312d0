"""What a pass wants done, and what became of it."""

from dataclasses import dataclass, field
from typing import Literal

from hourglass_kube.types import JSON
from hourglass_statemachine import Step

Verb = Literal["create", "patch", "delete"]


@dataclass(frozen=True, slots=True)
class Write:
    """One call to the API server; safe to repeat.

    `resource` is the plural. `body` is the object for create, a JSON merge patch for patch and
    DeleteOptions for delete.
    """

    verb: Verb
    resource: str
    namespace: str
    name: str
    body: JSON
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The API server's answer to a write.

    `code` is the HTTP status; 0 when there was no answer (time-out, connection lost), in which
    case the write may or may not have gone through. `body` is the object that came back.
    `retry_after`: seconds for which the API server asks to be left alone. `details_name`: the
    object that a Status is about (its `details.name`).
    """

    write: Write
    code: int
    reason: str = ""
    message: str = ""
    body: JSON | None = None
    retry_after: float = 0.0
    details_name: str = ""

    @property
    def succeeded(self) -> bool:
        """Done, or found done: deleting what is gone is not a failure."""
        return 200 <= self.code < 300 or (self.write.verb == "delete" and self.not_found)

    @property
    def not_found(self) -> bool:
        """The API server does not know the object.

        A proxy's page with the code 404 does not say so, nor does the API server's 404 for a
        resource that it does not serve.
        """
        named = self.details_name == self.write.name
        return self.code == 404 and self.reason == "NotFound" and named


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server did not create a pod or a Service for the spec of this `generation`.

    `foreign`: the name is taken by an object that is not the Performer's. `transient`: no fault of
    the Performer's, and it mends itself: the server's own error, or an object that an earlier
    Performer left and that is about to go. `failures` counts the tries so far; the next one is not
    before `retry_at` (seconds).
    """

    resource: str
    message: str
    foreign: bool
    transient: bool
    generation: int
    failures: int
    retry_at: float


@dataclass(frozen=True, slots=True)
class PendingStatus:
    """A status that is held back: its conditions' reasons, and since when (seconds).

    `first`: since when any change has been held back; `since`: since when these reasons hold.
    """

    reasons: tuple[str, ...]
    first: float
    since: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What the controller remembers of a Performer between passes; losing it does no harm.

    `refusals`: at most one of each resource, in the order of the resources' names.
    `pending_status`: a status that differs from the stored one and is yet to be written.
    """

    refusals: tuple[Refusal, ...] = ()
    pending_status: PendingStatus | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Writes in the order in which they are to be performed, up to the first that fails.

    `requeue_after`: seconds from the begin of the pass to the next one though nothing changes.
    """

    writes: tuple[Write, ...] = ()
    requeue_after: float | None = None
    memory: Memory = field(default_factory=Memory)
    steps: tuple[Step, ...] = ()
