"""What a fault acts on, and what it is made of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.faults.holds import Holds, Undo
from hourglass_simulator.scenario.strict import RESOURCES, resources

Deliver = Callable[[str, WatchEvent], Iterable[tuple[float, WatchEvent]]]
"""(resource, event) → what the operator's watch delivers, each after so many seconds more."""

WATCHED = "watched"
"""Key of a validation's context: what the operator's watches are of."""
P = TypeVar("P", bound=BaseModel)


class Operator(Protocol):
    """An operator process."""

    ahead: float
    """Seconds that the time of day on its machine is ahead of the cluster's when it starts."""

    @property
    def on_write(self) -> list[Callable[[str, Any], None]]:
        """Called with `before` or `after` and the write, around each write."""

    def start(self) -> None:
        """Start with nothing in memory."""

    def crash(self) -> None:
        """Stop at once."""

    def suspend(self) -> None:
        """Stop for a while, as by SIGSTOP: what arrives meanwhile waits."""

    def resume(self) -> None:
        """Go on."""

    def drop_watch(self, resource: str) -> None:
        """Lose a watch; it is resumed a little later."""


class Target(Protocol):
    """A cluster with the operator in it."""

    holds: Holds
    namespace: str
    """Of Performers and pods that are named without one."""

    @property
    def deliveries(self) -> list[Deliver]:
        """Every one sees the events of the operator's watches before the operator does."""

    @property
    def second_deliveries(self) -> list[Deliver]:
        """Those of the second operator's watches alone, after the others."""

    @property
    def watched(self) -> Sequence[str]:
        """What the operator's watches are of: plural names of resources."""

    @property
    def cluster(self) -> Cluster:
        """Everything but the operator."""

    @property
    def operator(self) -> Operator:
        """The operator."""

    @property
    def second(self) -> Operator:
        """Another operator process, which is not running unless a fault starts it."""

    @property
    def operator_user(self) -> str:
        """Whose calls to the API server are the operator's."""


class FaultNotPossibleError(Exception):
    """A fault cannot begin: what it needs is not there."""


class FaultType(Generic[P]):
    """A named fault: its parameters, what it does in a sentence, and how it begins.

    `example` are parameters as a scenario writes them.
    """

    def __init__(
        self,
        name: str,
        parameters: type[P],
        begin: Callable[[Target, P, Random], Undo],
        example: Mapping[str, Any],
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.example = example
        self.doc = " ".join((begin.__doc__ or "").split())
        self._begin = begin

    def begin(self, target: Target, parameters: JSON, random: Random) -> Undo:
        """Begin the fault; what is returned ends it and leaves other faults as they are.

        Raises pydantic.ValidationError for parameters that are none, and FaultNotPossibleError.
        """
        known = resources()
        more = [each.plural for each in target.cluster.api.resources() if each.plural not in known]
        context = {RESOURCES: (*known, *more), WATCHED: target.watched}
        validated = self.parameters.model_validate(parameters, context=context)
        return self._begin(target, validated, random)


def nothing() -> None:
    """The undoing of a fault that is over as soon as it has happened."""
