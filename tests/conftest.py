"""What holds for every test, and that properties do not depend on the speed of the machine."""

import gc
import os

import pytest
from hypothesis import HealthCheck, Phase, settings

from hourglass_simulator.garbage_collector import raise_gc_thresholds

# Its assertions are explained like those of the tests that call it.
pytest.register_assert_rewrite("recorded_answers")

settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # Where CI is set the examples are the same in every run; elsewhere new ones find new mistakes.
    derandomize="CI" in os.environ,
)
# Each mutant meets every property: what fails need not be made small, and must do so every time.
settings.register_profile(
    "mutants",
    settings.get_profile("any machine"),
    max_examples=30,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("any machine")

# What is printed into a pipe must not depend on who runs the tests.
os.environ.pop("COLUMNS", None)

# As in `hourglass-sim`: clusters come and go, and the collector finds hardly anything.
raise_gc_thresholds()


def pytest_collection_finish() -> None:
    """What was imported and collected lives as long as the process: it is looked at no more."""
    gc.collect()
    gc.freeze()
