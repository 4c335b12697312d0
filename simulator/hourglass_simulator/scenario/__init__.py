"""Scenario files: a cluster, manifests, timed steps, expectations. See docs/scenarios.md."""

from hourglass_simulator.scenario.backend import Backend, Change, Observer, RefusedError, Write
from hourglass_simulator.scenario.describe import explain
from hourglass_simulator.scenario.document import Problem, UnreadableError
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.load import ScenarioFile, dump, find, load, load_all
from hourglass_simulator.scenario.model import Scenario
from hourglass_simulator.scenario.result import Result, StepResult
from hourglass_simulator.scenario.run import run
from hourglass_simulator.scenario.timeline import Entry

__all__ = [
    "Backend",
    "Change",
    "Entry",
    "Mismatch",
    "Observer",
    "Problem",
    "RefusedError",
    "Result",
    "Scenario",
    "ScenarioFile",
    "StepResult",
    "UnreadableError",
    "Write",
    "dump",
    "explain",
    "find",
    "load",
    "load_all",
    "run",
]
