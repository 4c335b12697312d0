"""Faults of the operator itself."""

from random import Random
from typing import Annotated, Any, Literal

from pydantic import Field

from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import FaultType, Target, nothing
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


class TwoLeaders(Parameters):
    """For how long."""

    duration: Annotated[Duration, Field(alias="for")] = 30.0
    """How long the second one runs."""


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


def _two_leaders(target: Target, p: TwoLeaders, _: Random) -> Undo:
    """A second operator works at the same time, as when a lease fails."""

    def begin() -> Undo:
        target.second.start()
        return target.second.crash

    end = target.holds.hold(("second operator",), begin)
    target.cluster.clock.after(p.duration, end)
    return end


FAULTS = (
    FaultType("operator-crash", Crash, _crash, {"write": 3, "moment": "before", "down": "20s"}),
    FaultType("two-leaders", TwoLeaders, _two_leaders, {"for": "60s"}),
)
