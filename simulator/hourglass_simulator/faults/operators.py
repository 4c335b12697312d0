"""Faults of the operator itself."""

from collections.abc import Iterable
from random import Random
from typing import Annotated, Any, Literal

from pydantic import Field

from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.faults import go_operator
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import FaultNotPossibleError, FaultType, Target, nothing
from hourglass_simulator.scenario.strict import Count, Duration


class Crash(Parameters):
    """When it crashes, and for how long."""

    write: Annotated[Count, Field(ge=1)] | None = None
    """Around which write from now on, counted from 1; by default at once."""
    moment: Literal["before", "after"] = "after"
    """Before or after that write."""
    every: Annotated[Count, Field(ge=1)] | None = None
    """Again after so many more writes."""
    times: Annotated[Count, Field(ge=1)] = 1
    """How often in all, with `every`."""
    down: Duration = 2.0
    """How long until it starts again."""


class Suspended(Parameters):
    """When it is suspended, and for how long."""

    write: Annotated[Count, Field(ge=1)] | None = None
    """After which write from now on, counted from 1; by default at once."""
    duration: Annotated[Duration, Field(alias="for")] = 30.0
    """How long until it goes on."""


class TwoLeaders(Parameters):
    """For how long."""

    duration: Annotated[Duration, Field(alias="for")] = 30.0
    """How long the second one runs."""
    lag: Duration = 0.0
    """How much later than the first one it sees everything but Performers."""


class GoOperator(Parameters):
    """Nothing to say."""


def _go_operator(target: Target, _: GoOperator, __: Random) -> Undo:
    """The Go hourglass-operator works in the cluster too: it makes a pod and a Service for every
    Performer, and puts back what others change of them and of the status."""
    cluster = target.cluster
    if "performers" not in target.watched:
        raise FaultNotPossibleError("there are no Performers")
    return target.holds.hold(
        ("go operator",), lambda: go_operator.start(cluster.clock, cluster.api)
    )


class OperatorClock(Parameters):
    """How wrong the clock is."""

    ahead: Duration = 0.0
    """How far it is ahead of the API server's."""
    behind: Duration = 0.0
    """How far it is behind."""


def _clock(target: Target, p: OperatorClock, _: Random) -> Undo:
    """The clock of the operator's machine is wrong, and the operator starts anew with it."""
    operator = target.operator

    def begin() -> Undo:
        operator.ahead = p.ahead - p.behind
        operator.start()
        return end

    def end() -> None:
        operator.ahead = 0.0

    return target.holds.hold(("operator's clock",), begin)


def _crash(target: Target, p: Crash, _: Random) -> Undo:
    """The operator is killed and started again a little later, with nothing in memory."""
    operator, clock = target.operator, target.cluster.clock

    def begin() -> Undo:
        operator.crash()
        return operator.start

    def crash() -> None:
        clock.after(p.down, target.holds.hold(("operator",), begin))

    if p.write is None:
        crash()
        return nothing
    next_write, done, left = p.write, 0, p.times

    def observe(moment: str, _: Any) -> None:
        nonlocal done, left, next_write
        if moment != p.moment or left == 0:
            return
        done += 1
        if done == next_write:
            left = left - 1 if p.every else 0
            done, next_write = 0, p.every or 0
            crash()

    operator.on_write.append(observe)
    return lambda: operator.on_write.remove(observe)


def _suspended(target: Target, p: Suspended, _: Random) -> Undo:
    """The operator's process is stopped, and goes on later with all that it has in memory."""
    operator, clock = target.operator, target.cluster.clock

    def begin() -> Undo:
        operator.suspend()
        return operator.resume

    def suspend() -> Undo:
        resume = target.holds.hold(("suspended operator",), begin)
        clock.after(p.duration, resume)
        return resume

    if p.write is None:
        return suspend()
    left = p.write

    def observe(moment: str, _: Any) -> None:
        nonlocal left
        if moment == "after" and left:
            left -= 1
            if not left:
                suspend()

    operator.on_write.append(observe)
    return lambda: operator.on_write.remove(observe)


def _two_leaders(target: Target, p: TwoLeaders, _: Random) -> Undo:
    """A second operator works at the same time, as when a lease fails."""

    def late(resource: str, event: WatchEvent) -> Iterable[tuple[float, WatchEvent]]:
        return [(0.0 if resource == "performers" else p.lag, event)]

    def begin() -> Undo:
        target.second_deliveries.append(late)
        target.second.start()

        def end() -> None:
            target.second.crash()
            target.second_deliveries.remove(late)

        return end

    end = target.holds.hold(("second operator",), begin)
    target.cluster.clock.after(p.duration, end)
    return end


FAULTS = (
    FaultType("go-operator", GoOperator, _go_operator, {}),
    FaultType("operator-clock", OperatorClock, _clock, {"ahead": "10m"}),
    FaultType("operator-crash", Crash, _crash, {"write": 3, "moment": "before", "down": "20s"}),
    FaultType("operator-suspended", Suspended, _suspended, {"write": 2, "for": "1m"}),
    FaultType("two-leaders", TwoLeaders, _two_leaders, {"for": "60s"}),
)
