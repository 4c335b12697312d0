"""What a pass wants done, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from hourglass_kube.types import JSON
from hourglass_operator.controller.views import Key
from hourglass_operator.resources.drift import Drift, Path
from hourglass_statemachine import Step

RESIZE = "pods/resize"
"""What refusals of a change of a pod's CPU and memory are of."""
Verb = Literal["create", "patch", "delete"]
NOT_LEADING = "NotLeading"
"""The reason of an Outcome that was not asked for: see `Outcome.not_sent`."""
KINDS = {
    "performers": "Performer",
    "pods": "Pod",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "resourceclaimtemplates": "ResourceClaimTemplate",
    "services": "Service",
}
"""What is written, by its plural."""


@dataclass(frozen=True, slots=True)
class Write:
    """One call to the API server; safe to repeat.

    `resource` is the plural. `body` is the object for create, a JSON merge patch for patch, or a
    strategic one, and DeleteOptions for delete. `drifts`: what a repair is to end.
    """

    verb: Verb
    resource: str
    namespace: str
    name: str
    body: JSON
    subresource: str = ""
    drifts: tuple[Drift, ...] = ()
    strategic: bool = False

    @property
    def refused_as(self) -> str:
        """The resource with its subresource, by which permissions are given and refusals known."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


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
    def not_sent(self) -> bool:
        """This replica may not write any more, so nobody was asked."""
        return self.reason == NOT_LEADING

    @property
    def not_found(self) -> bool:
        """The API server does not know the object.

        A proxy's page with the code 404 does not say so, nor does the API server's 404 for a
        resource that it does not serve.
        """
        named = self.details_name == self.write.name
        return self.code == 404 and self.reason == "NotFound" and named


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """An object that no watch shows, to be read by its name.

    Of `endpointslices`: all those of the Service `name`.
    """

    resource: str
    namespace: str
    name: str


WHAT_THE_CORE_OFFERS = Read("apiresources", "", "v1")
"""The resources of the core API group: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api"""


@dataclass(frozen=True, slots=True)
class Found:
    """The API server's answer to a read: what there is, nothing if it is gone.

    `objects` is None if the API server did not say.
    """

    read: Read
    objects: tuple[JSON, ...] | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server did not do for the spec of this `generation` what it was asked to.

    `resource`: what was to be created, changed or deleted, or `RESIZE`. `name`: of the object,
    empty for one that was to be created: its successor is refused as well.
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
    verb: Verb = "create"
    name: str = ""

    def of(self, write: Write) -> bool:
        """Whether it is the refusal of such a write."""
        mine = (self.verb, self.resource, self.name)
        return mine == (write.verb, write.refused_as, "" if write.verb == "create" else write.name)


@dataclass(frozen=True, slots=True)
class PendingStatus:
    """A status that is held back: its conditions' reasons, and since when (seconds).

    `first`: since when any change has been held back; `since`: since when these reasons hold.
    """

    reasons: tuple[str, ...]
    first: float
    since: float


@dataclass(frozen=True, slots=True)
class ReadySince:
    """Since when (seconds) this operator has seen a pod be Ready without a break.

    `uid`, `changed` (when its condition Ready last changed) and `restarts` show whether a pod that
    is Ready has been so all the time.
    """

    uid: str
    changed: float
    restarts: int
    at: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Where a pod that is not Ready stands, and since when (seconds) this operator sees it there.

    `place` is a sentence for a person. `own`: nothing but the container `performer` is waited for.
    `lost`: it was Ready, so it is not starting.
    """

    uid: str
    place: str
    own: bool
    since: float
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Contest:
    """The status was written over one of the Go operator's, so many times.

    Where that still works, it has put its status back by `answered_by`; the next such write is not
    before `next_write` (both in seconds).
    """

    writes: int
    answered_by: float
    next_write: float


FIGHT = 3
"""Repairs of the same in a row that somebody else undoes, until that is reported."""


@dataclass(frozen=True, slots=True)
class Repair:
    """The latest repair of an object, at `at` (seconds), and how it went.

    `paths`: the fields that it was to repair; if it was `in_vain`, those that the API server's
    answer still had otherwise. `version`: of the object in that answer. `tries`: how often in a row
    the same has been repaired. `reported`: an Event says already that it does not last.
    """

    resource: str
    name: str
    paths: tuple[Path, ...]
    in_vain: bool
    version: str
    tries: int
    at: float
    reported: bool = False

    @property
    def undone(self) -> bool:
        """Somebody else undoes it: at the write, or again and again after it."""
        return self.in_vain or self.tries >= FIGHT

    def of(self, resource: str, name: str) -> bool:
        """Whether it is of this object."""
        return (self.resource, self.name) == (resource, name)

    def covers(self, drifts: Iterable[Drift]) -> bool:
        """Whether it was to repair all of this."""
        return all(drift.path in self.paths for drift in drifts)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the controller remembers of a Performer between passes; losing it does no harm.

    `refusals`: at most one of each kind of write, in the order of the resources' names.
    `pending_status`: a status that differs from the stored one and is yet to be written.
    `ready_since`: of the wanted pod, while something depends on it. `stall`: where the wanted pod
    stands while it is not Ready. `contest`: what became of taking over from the Go operator.
    `draining_since`: see `take_over`.
    `repairs`: at most one of each object.
    """

    refusals: tuple[Refusal, ...] = ()
    pending_status: PendingStatus | None = None
    ready_since: ReadySince | None = None
    stall: Stall | None = None
    contest: Contest | None = None
    draining_since: float | None = None
    repairs: tuple[Repair, ...] = ()

    @property
    def waits(self) -> bool:
        """Something is held back or is to be tried again."""
        return bool(self.refusals) or self.pending_status is not None


@dataclass(frozen=True, slots=True)
class Plan:
    """Writes in the order in which they are to be performed, up to the first that fails.

    `events`: to be recorded once all writes have succeeded; nothing waits for them.
    `reads`: what must be read before anything can be decided; there are no writes then, and the
    next pass decides. `requeue_after`: seconds from the begin of the pass to the next one though
    nothing changes. `waits_for`: the Performer whose next change asks for another pass.
    """

    writes: tuple[Write, ...] = ()
    events: tuple[Write, ...] = ()
    requeue_after: float | None = None
    memory: Memory = field(default_factory=Memory)
    steps: tuple[Step, ...] = ()
    waits_for: Key | None = None
    reads: tuple[Read, ...] = ()
