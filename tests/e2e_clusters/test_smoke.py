"""What a smoke plays is there, and what it leaves out is counted."""

from pathlib import Path

import pytest

import smoke

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", smoke.FILES)
def test_a_file_that_is_played_exists(name: str) -> None:
    assert (ROOT / "e2e" / name).exists()


@pytest.mark.parametrize("name", smoke.SCENARIOS)
def test_a_scenario_that_is_played_exists(name: str) -> None:
    assert (ROOT / "scenarios" / name).exists()


@pytest.mark.parametrize(
    ("file", "parameters", "chosen"),
    [
        pytest.param("test_calls.py", "", True, id="a file that is chosen"),
        pytest.param("test_installation.py", "the bundle", True, id="whatever its parameters are"),
        pytest.param("test_why.py", "", False, id="not another file"),
        pytest.param("test_scenarios.py", "conditions/serving.yaml", True, id="a scenario file"),
        pytest.param("test_scenarios.py", "demo.yaml", False, id="not another scenario file"),
        pytest.param("test_scenarios.py", "", False, id="not what looks at all of them"),
    ],
)
def test_a_smoke_plays(file: str, parameters: str, chosen: bool) -> None:
    assert smoke.is_chosen(file, parameters) is chosen


def test_what_is_left_out_is_said_and_counted() -> None:
    said = smoke.summary(2, ["test_why.py", "test_check.py", "test_why.py"])
    assert said == "smoke: 2 tests; left out: 3 tests (test_check.py 1, test_why.py 2)"
