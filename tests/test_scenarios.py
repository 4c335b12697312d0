"""Every scenario file is met, says what it shows, and plays the same in every process."""

import hashlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.scenario import find, load
from test_readme import ALL_SCENARIOS

ROOT = Path(__file__).parents[1]
FILES = find([ROOT / "scenarios"])


def test_most_scenarios_can_run_on_a_real_cluster_too() -> None:
    portable = [path for path in FILES if load(path, REGISTRY).scenario.portable]
    assert len(FILES) >= 60
    assert len(portable) >= 40


def test_every_scenario_is_met_and_the_same_seed_gives_the_same_trace_in_every_process(
    tmp_path: Path,
) -> None:
    # As the README says it, once for each process: nothing else plays all of them.
    arguments = shlex.split(ALL_SCENARIOS)
    arguments[0] = str(Path(sys.executable).with_name("hourglass-sim"))
    played = []
    for number in ("1", "2"):
        folder = tmp_path / number
        folder.mkdir()
        (folder / "scenarios").symlink_to(ROOT / "scenarios")
        with (folder / "printed").open("w") as printed:
            process = subprocess.Popen(
                [*arguments, "--trace", "trace"],
                cwd=folder,
                env={**os.environ, "PYTHONHASHSEED": number},
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
        played.append((folder, process))
    for folder, process in played:
        code, printed_lines = process.wait(), (folder / "printed").read_text().splitlines()
        missed = [line for line in printed_lines if not line.startswith("met ")]
        assert code == 0, "\n".join(missed)
        assert len(printed_lines) == len(FILES) + 1
    digests = {hashlib.sha256((folder / "trace").read_bytes()).hexdigest() for folder, _ in played}
    assert len(digests) == 1
