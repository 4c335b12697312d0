"""A plan: everything that happens to a cluster and its operator, and when, as data.

It is a scenario whose steps say `at` when they happen and check nothing: so a plan that was found
can be written as a scenario file, and any scenario file can be made a plan of.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hourglass_simulator.scenario import Result, Scenario
from hourglass_simulator.scenario.step import CHECKS, Step

Operation = tuple[float, str, Any]
"""Seconds since the start, the name of a step's action, and its arguments as a file has them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`scenario` says of which cluster, and how it must end; `steps` are sorted by their `at`."""

    scenario: Scenario
    steps: tuple[Step, ...]

    def with_steps(self, steps: Iterable[Step]) -> "Plan":
        """The plan with other steps; those of one moment stay in order."""
        return replace(self, steps=tuple(sorted(steps, key=moment)))

    def operations(self) -> Iterator[Operation]:
        """What happens, as data."""
        for step in self.steps:
            written = step.model_dump(mode="json", by_alias=True, exclude_unset=True)
            yield moment(step), step.action, written[step.action]

    def as_scenario(self, title: str, shows: str) -> Scenario:
        """The scenario whose file is this plan."""
        return self.scenario.model_copy(
            update={"title": title, "shows": shows, "manifests": (), "steps": self.steps}
        )


def moment(step: Step) -> float:
    """When the step of a plan happens."""
    return step.at or 0.0


def step_of(operation: Operation) -> Step:
    """The step that an operation is; raises pydantic.ValidationError for one that is none."""
    at, name, arguments = operation
    return Step.model_validate({"at": _whole(at), name: arguments})


def plan_of(result: Result) -> Plan:
    """The plan that a scenario is, as it was played: each step when it began, no checks."""
    scenario = result.scenario
    steps = [Step(at=0.0, apply=scenario.manifests)] if scenario.manifests else []
    began = {each.where: each.started for each in result.steps}
    for index, step in enumerate(scenario.steps):
        if step.action not in CHECKS:
            at = _whole(began[f"steps[{index}]"])
            fields = {name: getattr(step, name) for name in step.model_fields_set - {"after"}}
            steps.append(Step.model_construct(**{**fields, "at": at}))
    return Plan(scenario, tuple(steps))


def read_plan(scenario: Scenario) -> Plan | None:
    """The plan that a scenario file is; None if it is more than a plan."""
    steps = [Step(at=0.0, apply=scenario.manifests)] if scenario.manifests else []
    for step in scenario.steps:
        if step.action in CHECKS or step.at is None:
            return None
        steps.append(step)
    return Plan(scenario, tuple(sorted(steps, key=moment)))


def _whole(seconds: float) -> float:
    """To the next millisecond, which is what a file can say."""
    return -(-round(seconds * 1e6) // 1000) / 1000
