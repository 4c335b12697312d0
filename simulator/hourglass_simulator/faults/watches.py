"""Faults of the operator's watches."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.faults import api as api_faults
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import WATCHED, Deliver, FaultType, Target, nothing
from hourglass_simulator.scenario.mistakes import shown
from hourglass_simulator.scenario.strict import Count, Duration

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


class OfEvents(OfWatches):
    """Which events of which watches."""

    event: Annotated[Count, Field(ge=1)] | None = None
    """Only this one of their events from now on, counted from 1; by default every one."""


class Stale(OfEvents):
    """Which events, and how stale."""

    by: Duration = 5.0
    """How much later every event arrives."""


class Missed(OfWatches):
    """Which events are missed."""

    event: Annotated[Count, Field(ge=1)] = 1
    """The first of their events from now on that does not arrive, counted from 1."""
    duration: Annotated[Duration, Field(alias="for")] = 5.0
    """For how long nothing can be listed or watched then."""


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


def _missed(target: Target, p: Missed, random: Random) -> Undo:
    """A watch breaks off, and its resource cannot be read for a while: what happens meanwhile is
    not seen, only how things are when the operator lists them again."""
    api, clock = target.cluster.api, target.cluster.clock
    passed = 0
    broken = ""
    ends: list[Undo] = []

    def lose() -> None:
        nonlocal broken
        resource, broken = broken, ""
        api.compact(resource)
        target.operator.drop_watch(resource)
        ends.extend(
            api_faults.unavailable(target, verb, resource, random) for verb in ("list", "watch")
        )
        clock.after(p.duration, end)

    def deliver(resource: str, event: WatchEvent) -> Iterable[tuple[float, WatchEvent]]:
        nonlocal passed, broken
        if event.type != "BOOKMARK":
            passed += 1
            if passed == p.event:
                broken = resource
                clock.after(0.0, lose)
        return [] if resource == broken else [(0.0, event)]

    remove = _deliver(target, p, deliver)

    def end() -> None:
        while ends:
            ends.pop()()

    def heal() -> None:
        remove()
        end()

    return heal


def _stale(target: Target, p: Stale, _: Random) -> Undo:
    """The operator's view of the cluster lags behind."""
    return _deliver(target, p, _only(p, lambda _, event: [(p.by, event)]))


def _late(target: Target, p: Late, random: Random) -> Undo:
    """Events of different resources overtake each other."""
    return _deliver(target, p, lambda _, event: [(random.uniform(0, p.up_to), event)])


def _duplicate(target: Target, p: OfEvents, _: Random) -> Undo:
    """Events are delivered twice."""
    return _deliver(target, p, _only(p, lambda _, event: [(0.0, event), (0.0, event)]))


def _named(target: Target, p: OfWatches) -> Sequence[str]:
    return (p.resource,) if p.resource else target.watched


def _only(p: OfEvents, deliver: Deliver) -> Deliver:
    """Deliver the event that is meant so, and all others as they are."""
    if p.event is None:
        return deliver
    passed = 0

    def counting(resource: str, event: WatchEvent) -> Iterable[tuple[float, WatchEvent]]:
        nonlocal passed
        if event.type == "BOOKMARK":
            return [(0.0, event)]
        passed += 1
        return deliver(resource, event) if passed == p.event else [(0.0, event)]

    return counting


def _deliver(target: Target, p: OfWatches, deliver: Deliver) -> Undo:
    affected = _named(target, p)

    def hook(resource: str, event: WatchEvent) -> Iterable[tuple[float, WatchEvent]]:
        return deliver(resource, event) if resource in affected else [(0.0, event)]

    target.deliveries.append(hook)
    return lambda: target.deliveries.remove(hook)


FAULTS = (
    FaultType("duplicate-events", OfEvents, _duplicate, {}),
    FaultType("events-missed", Missed, _missed, {"resource": "pods", "event": 3, "for": "10s"}),
    FaultType("late-events", Late, _late, {"upTo": "8s"}),
    FaultType("stale-cache", Stale, _stale, {"by": "20s", "resource": "pods"}),
    FaultType("watch-dropped", OfWatches, _dropped, {"resource": "performers"}),
    FaultType("watch-expired", OfWatches, _expired, {"resource": "pods"}),
)
