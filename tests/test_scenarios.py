"""Every scenario file is met, says what it shows, and plays the same in every process."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hourglass_simulator.cli.parts import simulated
from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.scenario import find, load, run

ROOT = Path(__file__).parents[1]
FILES = find([ROOT / "scenarios"])
SEED = 7


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "scenarios")))
def test_scenario_is_met(path: Path) -> None:
    file = load(path, REGISTRY)
    backend = simulated(SEED, file.scenario.cluster)
    result = run(file, backend, SEED)
    assert result.met, "\n".join(f"{step.where}: {failure}" for step, failure in result.failures)


def test_most_scenarios_can_run_on_a_real_cluster_too() -> None:
    portable = [path for path in FILES if load(path, REGISTRY).scenario.portable]
    assert len(FILES) >= 60
    assert len(portable) >= 40


def test_the_same_seed_gives_the_same_trace_in_every_process(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("hourglass-sim")
    traces = [tmp_path / "1.trace", tmp_path / "2.trace"]
    processes = [
        subprocess.Popen(
            [program, "run", "scenarios", "--seed", str(SEED), "--trace", str(trace)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": trace.stem},
            stdout=subprocess.DEVNULL,
        )
        for trace in traces
    ]
    assert [process.wait() for process in processes] == [0, 0]
    digests = {hashlib.sha256(trace.read_bytes()).hexdigest() for trace in traces}
    assert len(digests) == 1
