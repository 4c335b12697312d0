"""Every scenario file is met."""

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


def test_every_scenario_is_met(tmp_path: Path) -> None:
    folder = tmp_path / "once"
    code, printed = end(start(folder, "1"), folder)
    missed = [line for line in printed if not line.startswith("met ")]
    assert code == 0, "\n".join(missed)
    assert len(printed) == len(FILES) + 1


def start(folder: Path, hash_seed: str) -> subprocess.Popen[bytes]:
    """Plays all in a process, as the README says it; leaves `printed` and `trace` in the folder."""
    arguments = shlex.split(ALL_SCENARIOS)
    arguments[0] = str(Path(sys.executable).with_name("hourglass-sim"))
    folder.mkdir()
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    with (folder / "printed").open("w") as printed:
        return subprocess.Popen(
            [*arguments, "--trace", "trace"],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=printed,
            stderr=subprocess.STDOUT,
        )


def end(process: subprocess.Popen[bytes], folder: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines that were printed."""
    code = process.wait()
    return code, (folder / "printed").read_text().splitlines()
