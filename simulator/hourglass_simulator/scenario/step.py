"""One step of a scenario: when it happens and the one thing that happens."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.expectation import Always, Eventually, Expect, Never
from hourglass_simulator.scenario.manifest import Manifest
from hourglass_simulator.scenario.strict import (
    Count,
    Duration,
    Names,
    Resource,
    Strict,
    filled,
    several,
)

API_ACTIONS = ("apply", "create", "patch", "delete", "cordon", "uncordon", "drain")
"""What `kubectl` can do as well: these run on a real cluster too."""
FAULT_ACTIONS = ("fault", "heal")
CHECKS = ("expect", "eventually", "always", "never")
ACTIONS = API_ACTIONS + FAULT_ACTIONS + CHECKS


class Patch(Strict):
    """A merge patch of one object, as `kubectl patch --type=merge`."""

    resource: Resource = "performers"
    name: str
    namespace: str | None = None
    subresource: Literal["status"] | None = None
    merge: JSON


class Delete(Strict):
    """A deletion of one object."""

    resource: Resource = "performers"
    name: str
    namespace: str | None = None
    grace_period_seconds: Count | None = None


def _named(value: object) -> object:
    """A fault without parameters may be written as its name alone."""
    return {value: {}} if isinstance(value, str) else value


def _mapping(value: object) -> object:
    return {} if value is None else value


Faults = Annotated[
    dict[str, Annotated[JSON, BeforeValidator(_mapping)]],
    BeforeValidator(_named),
    BeforeValidator(filled),
]
Manifests = Annotated[tuple[Manifest, ...], BeforeValidator(several), BeforeValidator(filled)]


class Step(Strict):
    """`at` or `after` say when; without them the step follows at once on the one before."""

    at: Duration | None = None
    """Since the start of the scenario."""
    after: Duration | None = None
    """Since the end of the step before."""
    note: str = ""
    """A sentence for the reader, shown in the timeline."""
    refused: str | None = None
    """The API server refuses this step, with this text in its message."""

    apply: Manifests | None = None
    create: Manifests | None = None
    patch: Patch | None = None
    delete: Delete | None = None
    cordon: Names | None = None
    uncordon: Names | None = None
    drain: Names | None = None
    fault: Faults | None = None
    heal: Names | None = None
    expect: Expect | None = None
    eventually: Eventually | None = None
    always: Always | None = None
    never: Never | None = None

    @property
    def action(self) -> str:
        """The name of the one thing that happens."""
        return next(name for name in ACTIONS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        found = [name for name in ACTIONS if getattr(self, name) is not None]
        if len(found) != 1:
            actions = ", ".join(ACTIONS)
            what = f"it has {' and '.join(found)}" if found else "it has none"
            raise PydanticCustomError("expected", f"a step does one of {actions}; {what}")
        if self.at is not None and self.after is not None:
            raise PydanticCustomError("expected", "a step has `at` or `after`, not both")
        if self.refused is not None and found[0] not in API_ACTIONS:
            raise PydanticCustomError(
                "expected", f"only calls to the API server can be refused, not {found[0]}"
            )
        return self
