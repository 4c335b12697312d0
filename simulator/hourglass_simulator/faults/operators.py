"""Faults of the operator itself."""

from random import Random
from typing import Annotated, Any, Literal

from pydantic import Field

from hourglass_simulator.faults.target import FaultType, Target, Undo, nothing
from hourglass_simulator.scenario.strict import Count, Duration, Strict


class Crash(Strict):
    """`write`: around which write from now on it crashes, counted from 1; without it, at once.
    `moment`: before or after that write. `every`: again after so many more writes, `times` in
    all. `down`: how long until it starts again."""

    write: Annotated[Count, Field(ge=1)] | None = None
    moment: Literal["before", "after"] = "after"
    every: Annotated[Count, Field(ge=1)] | None = None
    times: Annotated[Count, Field(ge=1)] = 1
    down: Duration = 2.0


class TwoLeaders(Strict):
    """`for`: how long the second one runs."""

    duration: Annotated[Duration, Field(alias="for")] = 30.0


def _crash(target: Target, p: Crash, _: Random) -> Undo:
    """The operator is killed and started again a little later, with nothing in memory."""
    operator, clock = target.operator, target.cluster.clock

    def crash() -> None:
        operator.crash()
        clock.after(p.down, operator.start)

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
    target.second.start()
    timer = target.cluster.clock.after(p.duration, target.second.crash)

    def end() -> None:
        timer.cancel()
        target.second.crash()

    return end


FAULTS = (
    FaultType("operator-crash", Crash, _crash),
    FaultType("two-leaders", TwoLeaders, _two_leaders),
)
