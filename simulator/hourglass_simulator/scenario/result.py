"""What came of playing a scenario."""

from dataclasses import dataclass

from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.model import Scenario
from hourglass_simulator.scenario.timeline import Entry


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of a step. Times are seconds since the start of the scenario."""

    where: str
    """`manifests`, `steps[3]` or `settles`: the place in the file."""
    text: str
    """What the step does, in words."""
    started: float
    ended: float
    failures: tuple[Mismatch, ...] = ()

    @property
    def met(self) -> bool:
        """Nothing failed."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario that was played to its end."""

    file: str
    scenario: Scenario
    seed: int
    steps: tuple[StepResult, ...]
    timeline: tuple[Entry, ...]
    """What a person wants to see, in order."""
    records: tuple[Change | Write, ...]
    """Everything, in order: the trace."""
    duration: float
    """Seconds of the scenario's own time."""

    @property
    def met(self) -> bool:
        """Every expectation was met."""
        return all(step.met for step in self.steps)

    @property
    def failures(self) -> tuple[tuple[StepResult, Mismatch], ...]:
        """Every failure with its step."""
        return tuple((step, failure) for step in self.steps for failure in step.failures)
