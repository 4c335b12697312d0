"""How many scenarios are played in a second of one core, as by `hourglass-sim run`.

python benchmarks/scenario_files.py
"""

import time
from pathlib import Path

from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.garbage_collector import raise_gc_thresholds
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario import find, load_all, run

FOLDER = Path(__file__).parents[1] / "scenarios"


def main() -> None:
    raise_gc_thresholds()
    files = load_all(find([FOLDER]), REGISTRY)
    started = time.perf_counter()
    virtual = sum(run(file, SimulatedBackend()).duration for file in files)
    took = time.perf_counter() - started
    print(f"{len(files)} scenarios in {took:.2f} s: {len(files) / took:.1f} a second (no bound)")
    print(f"{virtual / took:,.0f} seconds of virtual time a second")


if __name__ == "__main__":
    main()
