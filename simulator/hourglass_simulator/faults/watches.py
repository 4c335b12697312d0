"""Faults of the operator's watches."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import WATCHED, Deliver, FaultType, Target, nothing
from hourglass_simulator.scenario.mistakes import shown
from hourglass_simulator.scenario.strict import Duration

OF_PERFORMERS = ("endpointslices", "nodes", "performers", "pods", "services")
"""What the operator of Performers watches."""


def _watched(value: object, info: ValidationInfo) -> object:
    known = (info.context or {}).get(WATCHED) or OF_PERFORMERS
    if isinstance(value, str) and value not in known:
        text = f"{shown(value)} is not one of {', '.join(known)}"
        raise PydanticCustomError("expected", "{text}", {"text": text})
    return value


Watched = Annotated[
    str, BeforeValidator(_watched), WithJsonSchema({"type": "string", "enum": OF_PERFORMERS})
]


class OfWatches(Parameters):
    """Which watches."""

    resource: Watched | None = None
    """Only this watch of the operator; by default every one."""


class Stale(OfWatches):
    """Which watches, and how stale."""

    by: Duration = 5.0
    """How much later every event arrives."""


class Late(OfWatches):
    """Which watches, and how late."""

    up_to: Duration = 3.0
    """How much later events arrive at most; those of one resource stay in order."""


def _dropped(target: Target, p: OfWatches, _: Random) -> Undo:
    """Watches break off; what happens until they are resumed arrives then."""
    for resource in _named(target, p):
        target.operator.drop_watch(resource)
    return nothing


def _expired(target: Target, p: OfWatches, _: Random) -> Undo:
    """Watches break off and cannot be resumed: 410, the history is gone."""
    for resource in _named(target, p):
        target.cluster.api.compact(resource)
        target.operator.drop_watch(resource)
    return nothing


def _stale(target: Target, p: Stale, _: Random) -> Undo:
    """The operator's view of the cluster lags behind."""
    return _deliver(target, p, lambda _, event: [(p.by, event)])


def _late(target: Target, p: Late, random: Random) -> Undo:
    """Events of different resources overtake each other."""
    return _deliver(target, p, lambda _, event: [(random.uniform(0, p.up_to), event)])


def _duplicate(target: Target, p: OfWatches, _: Random) -> Undo:
    """Every event is delivered twice."""
    return _deliver(target, p, lambda _, event: [(0.0, event), (0.0, event)])


def _named(target: Target, p: OfWatches) -> Sequence[str]:
    return (p.resource,) if p.resource else target.watched


def _deliver(target: Target, p: OfWatches, deliver: Deliver) -> Undo:
    affected = _named(target, p)

    def hook(resource: str, event: WatchEvent) -> Iterable[tuple[float, WatchEvent]]:
        return deliver(resource, event) if resource in affected else [(0.0, event)]

    target.deliveries.append(hook)
    return lambda: target.deliveries.remove(hook)


FAULTS = (
    FaultType("duplicate-events", OfWatches, _duplicate, {}),
    FaultType("late-events", Late, _late, {"upTo": "8s"}),
    FaultType("stale-cache", Stale, _stale, {"by": "20s", "resource": "pods"}),
    FaultType("watch-dropped", OfWatches, _dropped, {"resource": "performers"}),
    FaultType("watch-expired", OfWatches, _expired, {"resource": "pods"}),
)
