"""Faults of the operator's watches."""

from collections.abc import Iterable
from random import Random
from typing import Literal, get_args

from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import Deliver, FaultType, Target, nothing
from hourglass_simulator.scenario.strict import Duration

Watched = Literal["endpointslices", "nodes", "performers", "pods", "services"]


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
    for resource in _named(p):
        target.operator.drop_watch(resource)
    return nothing


def _expired(target: Target, p: OfWatches, _: Random) -> Undo:
    """Watches break off and cannot be resumed: 410, the history is gone."""
    for resource in _named(p):
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


def _named(p: OfWatches) -> tuple[str, ...]:
    return (p.resource,) if p.resource else get_args(Watched)


def _deliver(target: Target, p: OfWatches, deliver: Deliver) -> Undo:
    affected = _named(p)

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
