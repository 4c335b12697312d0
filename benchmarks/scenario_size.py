"""How long a scenario with many Performers takes, and how that grows with their number.

python benchmarks/scenario_size.py [PERFORMERS]
"""

import sys
import time

from hourglass_simulator.garbage_collector import raise_gc_thresholds
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario import Scenario, ScenarioFile, run

BOUND_SECONDS = 30.0
"""With 1,000 Performers, all of them created at once."""
PODS_A_NODE = 10


def scenario(performers: int) -> Scenario:
    """All are created, serve, are expected by name and by count, and settle."""
    names = [f"worker-{number}" for number in range(performers)]
    serving = {"phase": "Running", "serving": True, "pods": 1, "podsCreated": 1}
    return Scenario.model_validate(
        {
            "scenario": f"{performers} Performers",
            "shows": "How the simulator grows.",
            "cluster": {"nodes": [{"name": "node", "count": performers // PODS_A_NODE + 1}]},
            "manifests": [
                {
                    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
                    "kind": "Performer",
                    "metadata": {"name": name},
                    "spec": {"avsAddress": f"0x{'1' * 40}", "image": "avs/worker:v1"},
                }
                for name in names
            ],
            "steps": [
                {
                    "eventually": {
                        "within": "10m",
                        "performers": dict.fromkeys(names, serving),
                        "objects": [{"resource": "pods", "count": performers}],
                    }
                },
                {"cordon": "node-1"},
                {"always": {"for": "1m", "performers": dict.fromkeys(names, serving)}},
            ],
        },
        by_alias=True,
        by_name=False,
    )


def seconds(performers: int) -> float:
    """Of one run; a scenario that is not met is an error."""
    file = ScenarioFile("benchmark", scenario(performers))
    started = time.perf_counter()
    result = run(file, SimulatedBackend())
    took = time.perf_counter() - started
    assert result.met, result.failures[0]
    return took


def main(performers: int = 1_000) -> None:
    raise_gc_thresholds()
    few, many = seconds(performers // 4), seconds(performers)
    print(f"{performers} Performers in {many:.1f} s (bound with 1,000: {BOUND_SECONDS:.0f} s)")
    print(f"{many / few:.1f} × the {few:.1f} s of a quarter of them (4 is linear)")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
