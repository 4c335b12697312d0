"""Shrinks a plan to the fewest operations, parameters and nodes, and to the simplest times."""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

from hourglass_simulator.scenario.step import Step
from hourglass_simulator.search.plan import Plan, moment

MOST_TRIES = 400
"""Plays until what has been found is taken."""


def shrink(plan: Plan, fails: Callable[[Plan], bool], tries: int = MOST_TRIES) -> Plan:
    """The smallest plan found that still fails; the plan itself must."""
    return _Shrinking(plan, fails, tries).smallest()


class _Shrinking:
    def __init__(self, plan: Plan, fails: Callable[[Plan], bool], tries: int) -> None:
        self._plan = plan
        self._fails = fails
        self._left = tries

    def smallest(self) -> Plan:
        """Try everything anew until nothing helps."""
        while self._left:
            before = self._plan
            for candidates in (_fewer_steps, _fewer_nodes, _fewer_parameters, _simpler_times):
                self._take(candidates)
            if self._plan == before:
                break
        return self._plan

    def _take(self, candidates: Callable[[Plan], Iterator[Plan]]) -> None:
        """Go on from the first candidate that still fails, until none does."""
        found = True
        while found:
            found = False
            for candidate in candidates(self._plan):
                if not self._left:
                    return
                self._left -= 1
                if self._fails(candidate):
                    self._plan, found = candidate, True
                    break


def _fewer_steps(plan: Plan) -> Iterator[Plan]:
    """Without half of the steps, a quarter, and so on to a single one; from the end."""
    size = len(plan.steps) // 2
    while size:
        for start in range(len(plan.steps) - size, -1, -size):
            yield plan.with_steps((*plan.steps[:start], *plan.steps[start + size :]))
        size //= 2
    for number, step in enumerate(plan.steps):
        for fewer in _parts(step):
            yield plan.with_steps(_replaced(plan, number, fewer))


def _parts(step: Step) -> Iterator[Step]:
    """A step that heals several faults, with one less."""
    for name in step.heal or ():
        kept = tuple(other for other in step.heal or () if other != name)
        if kept:
            yield step.model_copy(update={"heal": kept})


def _fewer_nodes(plan: Plan) -> Iterator[Plan]:
    groups = plan.scenario.cluster.nodes
    for number in range(len(groups)):
        kept = (*groups[:number], *groups[number + 1 :])
        if kept:
            cluster = plan.scenario.cluster.model_copy(update={"nodes": kept})
            scenario = plan.scenario.model_copy(update={"cluster": cluster})
            yield Plan(scenario, plan.steps)


def _fewer_parameters(plan: Plan) -> Iterator[Plan]:
    """Faults with one parameter less, Performers with one field less, small numbers."""
    for number, step in enumerate(plan.steps):
        if step.fault is not None:
            for name, parameters in step.fault.items():
                for changed in _simpler(parameters):
                    fault = {**step.fault, name: changed}
                    simpler = step.model_copy(update={"fault": fault})
                    yield plan.with_steps(_replaced(plan, number, simpler))
        for source in step.apply or ():
            for obj in source.objects:
                for spec in _simpler(obj.get("spec") or {}):
                    alone = source.model_copy(update={"objects": ({**obj, "spec": spec},)})
                    simpler = step.model_copy(update={"apply": (alone,)})
                    yield plan.with_steps(_replaced(plan, number, simpler))


def _simpler(mapping: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in mapping.items():
        yield {other: kept for other, kept in mapping.items() if other != key}
        if isinstance(value, int) and value > 1:
            yield {**mapping, key: value - 1}


def _simpler_times(plan: Plan) -> Iterator[Plan]:
    """Gaps that are shorter, or of whole seconds; what comes after follows."""
    moments = [moment(step) for step in plan.steps]
    gaps = [later - earlier for earlier, later in zip([0.0, *moments], moments, strict=False)]
    for number, gap in enumerate(gaps):
        for simpler in (0.0, 1.0, 10.0, float(round(gap)), round(gap, 1), round(gap, 2)):
            if simpler < gap or (simpler != gap and round(gap, 2) != gap):
                changed = [*gaps[:number], simpler, *gaps[number + 1 :]]
                times = accumulate(changed)
                steps = [
                    step.model_copy(update={"at": round(at, 3)})
                    for step, at in zip(plan.steps, times, strict=True)
                ]
                yield plan.with_steps(steps)


def _replaced(plan: Plan, number: int, step: Step) -> tuple[Step, ...]:
    return (*plan.steps[:number], step, *plan.steps[number + 1 :])
