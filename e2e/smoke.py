"""Which tests a smoke plays: on an old Kubernetes, in ten minutes, something of everything."""

from collections import Counter
from collections.abc import Iterable

FILES = (
    "test_cluster.py",
    "test_calls.py",
    "test_documented_commands.py",
    "test_installation.py",
    "test_moves.py",
    "test_rendering.py",
    "test_upgrades.py",
)
SCENARIOS = (
    "admission/bad-spec-refused.yaml",
    "conditions/serving.yaml",
    "conditions/deleting.yaml",
    "hardware/gpu-used-by-others.yaml",
    "nodes/preempted.yaml",
    "nodes/preempts.yaml",
    "repairs/service-edited.yaml",
    "upgrades/auto-with-room.yaml",
)
"""Of the scenario files, which are tests of one file."""
_SCENARIO_TESTS = "test_scenarios.py"


def is_chosen(file: str, parameters: str) -> bool:
    """Whether a smoke plays a test of this file, which has these parameters, or none."""
    return file in FILES or (file == _SCENARIO_TESTS and parameters in SCENARIOS)


def summary(played: int, left_out: Iterable[str]) -> str:
    """For the end of the run; `left_out`: the file of each test that is not played."""
    counts = Counter(left_out)
    files = ", ".join(f"{file} {count}" for file, count in sorted(counts.items()))
    return f"smoke: {played} tests; left out: {counts.total()} tests ({files})"
