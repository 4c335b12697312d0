"""The pace at which a scenario is played, which changes nothing of what happens in it.

A simulated hour takes a second, a real one an hour: windows in which nothing is to happen are
shortened for both backends, and a real cluster is given more time to come to something.
"""

from typing import TypeVar

from hourglass_simulator.scenario.expectation import Expectation
from hourglass_simulator.scenario.model import Scenario
from hourglass_simulator.scenario.step import Step

LONGEST_WINDOW = 3.0
"""Seconds that an `always`, a `never` or the quiet at the end lasts at most."""
SLACK = 2.0
"""By how much an `eventually` may take longer on a real cluster than the file says."""
LONGEST_SETTLING = 60.0
"""Seconds within which a real cluster must settle: a failure is to be seen soon."""

E = TypeVar("E", bound=Expectation)


def shorten_windows(scenario: Scenario) -> Scenario:
    """The scenario with shorter windows; what is done, and when, stays."""
    settles = scenario.settles
    quiet = min(settles.quiet_for, LONGEST_WINDOW)
    return scenario.model_copy(
        update={
            "steps": tuple(_shorten_step(step) for step in scenario.steps),
            "settles": settles.model_copy(update={"quiet_for": quiet}),
        }
    )


def extend_deadlines(scenario: Scenario) -> Scenario:
    """The scenario with more time for what is to come about, and not too much for its end."""
    settles = scenario.settles
    within = min(settles.within, LONGEST_SETTLING)
    return scenario.model_copy(
        update={
            "steps": tuple(_extend_step(step) for step in scenario.steps),
            "settles": settles.model_copy(update={"within": within}),
        }
    )


def _shorten_step(step: Step) -> Step:
    for name in ("always", "never"):
        if (window := getattr(step, name)) is not None:
            shorter = min(window.duration, LONGEST_WINDOW)
            return step.model_copy(update={name: window.model_copy(update={"duration": shorter})})
    return step


def _extend_step(step: Step) -> Step:
    if step.eventually is None:
        return step
    longer = step.eventually.within * SLACK
    return step.model_copy(
        update={"eventually": step.eventually.model_copy(update={"within": longer})}
    )
