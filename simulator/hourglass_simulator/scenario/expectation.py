"""What a scenario can expect: of Performers, of any object, of the operator's writes."""

# ruff: noqa: RUF012 - pydantic copies mutable defaults

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.mistakes import unknown
from hourglass_simulator.scenario.strict import (
    Bool,
    Count,
    Duration,
    Resource,
    Strict,
    reads,
    several,
)

PhaseName = Literal["Pending", "Running", "Upgrading", "Terminating", "Failed"]
ReasonName = Literal[
    "AsExpected",
    "BudgetConflict",
    "BudgetRejected",
    "ClaimRejected",
    "ContainerFailed",
    "EndpointsNotReady",
    "HardwareUnavailable",
    "ImagePullFailed",
    "MoveInProgress",
    "NameConflict",
    "NotAvailable",
    "PodLost",
    "PodNotReady",
    "PodPending",
    "PodReady",
    "PodRejected",
    "ProgressDeadlineExceeded",
    "RepairUndone",
    "ResizeInProgress",
    "Scheduled",
    "SchedulingFailed",
    "SchedulingGated",
    "ServiceReady",
    "ServiceRejected",
    "Terminating",
    "UpgradeInProgress",
]
ConditionName = Literal["Available", "Progressing", "Degraded", "Reconciling", "Stalled", "Ready"]
STATUSES = ("True", "False", "Unknown")
ANYTHING = "..."


class ConditionIs(Strict):
    """`True/PodReady` or `True`: the status and, if given, the exact reason of a condition."""

    status: str
    reason: str = ""

    @model_serializer
    def __str__(self) -> str:
        return f"{self.status}/{self.reason}" if self.reason else self.status


def _condition(value: object) -> ConditionIs:
    if isinstance(value, ConditionIs):
        return value
    status, _, reason = str(value).partition("/")
    if status not in STATUSES or not (reason or str(value) == status):
        raise ValueError(f"{value!r} is not a condition; write it as True/PodReady or True")
    if reason and reason not in get_args(ReasonName):
        raise ValueError(unknown("reason", reason, get_args(ReasonName)))
    return ConditionIs(status=status, reason=reason)


class Pattern(Strict):
    """A text that must be contained, or `/…/`: a regular expression that must be found."""

    text: str

    @model_serializer
    def _serialize(self) -> str:
        return self.text

    @property
    def regular(self) -> bool:
        """Whether the text is a regular expression."""
        return len(self.text) > 2 and self.text.startswith("/") and self.text.endswith("/")

    def found_in(self, text: str) -> bool:
        """Whether the pattern occurs in the text."""
        if self.regular:
            return re.search(self.text[1:-1], text) is not None
        return self.text in text

    def __str__(self) -> str:
        return f"matches {self.text}" if self.regular else f'contains "{self.text}"'


def _pattern(value: object) -> Pattern:
    if isinstance(value, Pattern):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a text, nor a regular expression written as /…/")
    pattern = Pattern(text=value)
    if pattern.regular:
        try:
            re.compile(value[1:-1])
        except re.error as error:
            raise ValueError(f"{value} is not a regular expression: {error}") from None
    return pattern


Condition = Annotated[ConditionIs, *reads(_condition, {"type": ["string", "boolean"]})]
Match = Annotated[Pattern, *reads(_pattern, {"type": "string"})]
Matches = Annotated[tuple[Match, ...], BeforeValidator(several)]


class PerformerIs(Strict):
    """What is expected of one Performer; only what is written is looked at."""

    exists: Bool | None = None
    phase: Annotated[tuple[PhaseName, ...], BeforeValidator(several)] = ()
    """One phase, or a list of which one is enough."""
    phases: tuple[Literal[PhaseName, "..."], ...] = ()
    """Every phase it has had since its creation, in order; `...` stands for any number of them."""
    ready: Bool | None = None
    conditions: dict[ConditionName, Condition] = {}
    reasons: tuple[Literal[ReasonName, "..."], ...] = ()
    """Every reason that its Ready condition has had, in order; `...` as in `phases`."""
    message: Matches = ()
    """Text in the message of the Ready condition."""
    messages: dict[ConditionName, Match] = {}
    """Text in the message of a condition."""
    pods: Count | None = None
    """How many pods it has."""
    pods_created: Count | None = None
    """How many different pods it has had since its creation."""
    pod: Literal["same", "other"] | None = None
    """Whether `status.podName` is what it was before the last step that did something."""
    node: str | None = None
    """The node that its serving pod runs on."""
    services: Count | None = None
    service: str | None = None
    endpoint: str | None = None
    last_upgrade: Literal["set", "unset"] | None = None
    serving: Bool | None = None
    """Whether its Service has a ready endpoint."""
    served_throughout: Literal[True] | None = None
    """Its Service had a ready endpoint at every moment since the last step that did something."""
    events: dict[str, Count] = {}
    """Reason → how many times a Kubernetes Event with that reason was recorded for it."""
    has: JSON | None = None
    """Parts of the object, as in a merge patch: what is written must be there, null must not."""


class ObjectsAre(Strict):
    """What is expected of objects of one resource: how many match, by default at least one."""

    resource: Resource
    """Plural, as in `kubectl get`: pods, services, nodes, events …"""
    namespace: str | None = None
    """By default the scenario's namespace."""
    name: str | None = None
    labels: dict[str, str] = {}
    has: JSON | None = None
    """Parts of the object, as in a merge patch: what is written must be there, null must not."""
    count: Count | None = None


class WritesAre(Strict):
    """A budget of the operator's mutating calls to the API server."""

    at_most: Count
    resource: Resource | None = None
    verb: Literal["create", "patch", "delete"] | None = None


class Expectation(Strict):
    """All that must hold at one moment."""

    performers: dict[str, PerformerIs] = {}
    """Name, or namespace/name → what is expected of it."""
    objects: tuple[ObjectsAre, ...] = ()
    writes: WritesAre | None = None
    """Counted since the last step that did something; under `always`, in its window."""
    no_writes_for: Duration | None = None
    """The operator's last mutating call is at least this long ago."""

    @property
    def empty(self) -> bool:
        """Nothing is expected."""
        nothing = self.writes is None and self.no_writes_for is None
        return nothing and not self.performers and not self.objects

    def _something(self) -> None:
        if self.empty:
            expected = "performers, objects, writes or noWritesFor"
            raise PydanticCustomError("expected", "nothing is expected; add " + expected)


class Expect(Expectation):
    """Must hold now."""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        self._something()
        return self


class Eventually(Expectation):
    """Must hold at some moment within the time given; the scenario goes on from that moment."""

    within: Duration

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        self._something()
        return self


class Always(Expectation):
    """Must hold at every moment from now on for the time given."""

    duration: Annotated[Duration, Field(alias="for")]

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        self._something()
        return self


class Never(Always):
    """Must not hold, taken as a whole, at any moment from now on for the time given."""


class Settles(Expectation):
    """How the scenario ends.

    A Performer that is not named must reach the state that its spec asks for: serving, or gone.
    Then nothing may be written for `quiet_for`.
    """

    within: Duration = 900.0
    quiet_for: Duration = 300.0
