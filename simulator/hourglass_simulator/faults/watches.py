"""Faults of the operator's watches."""

from collections.abc import Iterable
from random import Random

from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.faults.target import Deliver, FaultType, Target, Undo, nothing
from hourglass_simulator.scenario.strict import Duration, Resource, Strict

WATCHED = ("endpointslices", "nodes", "performers", "pods", "services")


class OfWatches(Strict):
    """`resource`: whose watch; by default all that the operator has."""

    resource: Resource | None = None


class Stale(OfWatches):
    """`by`: how much later everything arrives."""

    by: Duration = 5.0


class Late(OfWatches):
    """`upTo`: how much later events arrive, each by a time of its own, in order."""

    up_to: Duration = 3.0


def _dropped(target: Target, p: OfWatches, _: Random) -> Undo:
    """Watches break off; what happens until the next list is not delivered."""
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
    return (p.resource,) if p.resource else WATCHED


def _deliver(target: Target, p: OfWatches, deliver: Deliver) -> Undo:
    concerned = _named(p)

    def hook(resource: str, event: WatchEvent) -> Iterable[tuple[float, WatchEvent]]:
        return deliver(resource, event) if resource in concerned else [(0.0, event)]

    target.deliveries.append(hook)
    return lambda: target.deliveries.remove(hook)


FAULTS = (
    FaultType("duplicate-events", OfWatches, _duplicate),
    FaultType("late-events", Late, _late),
    FaultType("stale-cache", Stale, _stale),
    FaultType("watch-dropped", OfWatches, _dropped),
    FaultType("watch-expired", OfWatches, _expired),
)
