"""Scenarios for two backends: shorter windows, more patience, nothing else."""

from hourglass_simulator.scenario.model import Scenario
from scenarios.pace import (
    LONGEST_SETTLING,
    LONGEST_WINDOW,
    SLACK,
    extend_deadlines,
    shorten_windows,
)

SCENARIO = Scenario.model_validate(
    {
        "scenario": "One of everything",
        "shows": "What is changed.",
        "steps": [
            {"eventually": {"within": "1m", "noWritesFor": "1s"}},
            {"at": "2m", "always": {"for": "10m", "writes": {"atMost": 0}}},
            {"never": {"for": "1s", "writes": {"atMost": 0}}},
            {"after": "5m", "delete": {"name": "worker"}},
        ],
        "settles": {"within": "20m", "quietFor": "1h"},
    }
)


def test_a_brisk_scenario_has_shorter_windows_and_the_same_steps() -> None:
    changed = shorten_windows(SCENARIO)
    assert changed.steps[0] == SCENARIO.steps[0]
    assert changed.steps[1].always is not None
    assert changed.steps[1].always.duration == LONGEST_WINDOW
    assert changed.steps[1].at == 120
    assert changed.steps[2] == SCENARIO.steps[2]
    assert changed.steps[3] == SCENARIO.steps[3]
    assert changed.settles.quiet_for == LONGEST_WINDOW
    assert changed.settles.within == 1200


def test_a_patient_scenario_waits_longer_for_what_is_to_come() -> None:
    changed = extend_deadlines(SCENARIO)
    assert changed.steps[0].eventually is not None
    assert changed.steps[0].eventually.within == 60 * SLACK
    assert changed.steps[1:] == SCENARIO.steps[1:]
    assert changed.settles.within == LONGEST_SETTLING
    assert changed.settles.quiet_for == 3600
