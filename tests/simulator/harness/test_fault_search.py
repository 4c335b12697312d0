"""Whatever goes wrong on the way: in the end every Performer is as its spec asks, or gone.

One scenario (creation, upgrade, another change in its midst, drain, deletion) is played under many
faults; the oracle of `settles` and the checks in it must hold each time.
"""

import json
from pathlib import Path

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario import load, run

OVER_AT_ONCE = ("watch-dropped", "watch-expired")
GPUS = {
    "nodes": [
        {
            "name": "gpu-1",
            "labels": {"accelerator": "nvidia-a100"},
            "devices": {"nvidia.com/gpu": 2},
        },
        {"name": "plain"},
    ]
}


def scenario(faults: list[JSON], strategy: str) -> JSON:
    """Auto is played where the new pod needs the old one's GPUs, the others on plain nodes."""
    gpu = strategy == "Auto"
    node = "gpu-1" if gpu else "node-1"
    spec: JSON = {
        "avsAddress": "0x1234567890abcdef1234567890abcdef12345678",
        "image": "avs/worker:v1",
        "upgradeStrategy": {"type": strategy},
    }
    if gpu:
        spec["hardwareRequirements"] = {"gpuType": "nvidia-a100", "gpuCount": 2}
    healed = sorted({name for fault in faults for name in fault if name not in OVER_AT_ONCE})
    return {
        "scenario": "A life under faults",
        "shows": "It ends well.",
        "cluster": GPUS if gpu else {},
        "steps": [
            *({"at": "0s", "fault": fault} for fault in faults),
            {
                "at": "0s",
                "apply": {
                    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
                    "kind": "Performer",
                    "metadata": {"name": "worker"},
                    "spec": spec,
                },
            },
            {"at": "60s", "patch": {"name": "worker", "merge": {"spec": {"image": "a/b:v2"}}}},
            {"at": "62s", "patch": {"name": "worker", "merge": {"spec": {"image": "a/b:v3"}}}},
            {"at": "180s", "drain": node},
            {"at": "240s", "uncordon": node},
            *([{"at": "400s", "heal": healed}] if healed else []),
            {
                "at": "800s",
                "expect": {
                    "performers": {
                        "worker": {"phase": "Running", "ready": True, "pods": 1, "services": 1}
                    }
                },
            },
            {"delete": {"name": "worker"}},
        ],
    }


STRATEGIES = ("RollingUpdate", "Recreate", "Auto")
CRASHES = [
    {"operator-crash": {"write": write, "moment": moment}}
    for write in range(1, 17)
    for moment in ("before", "after")
]
TROUBLE: list[JSON] = [
    {"api-conflict": {"probability": 0.5}},
    {"api-error": {"probability": 0.5}},
    {"api-throttled": {"probability": 0.7}},
    {"api-timeout": {"probability": 0.5}},
    {"api-timeout": {"probability": 0.5, "done": False}},
    {"duplicate-events": {}},
    {"late-events": {"upTo": "8s"}},
    {"stale-cache": {"by": "7s"}},
    {"stale-cache": {"by": "20s", "resource": "endpointslices"}},
    {"stale-cache": {"by": "20s", "resource": "pods"}},
    {"two-leaders": {"for": "100s"}},
    {"operator-crash": {"write": 1, "every": 2, "times": 20, "down": "1s"}},
]
AT_ONCE = {"operator-crash": {"write": 2, "every": 4, "times": 10}}


def plays(folder: Path, faults: list[JSON], strategy: str, seed: int) -> None:
    file = folder / "scenario.yaml"
    # JSON is YAML, and quick to write.
    file.write_text(json.dumps(scenario(faults, strategy)))
    result = run(load(file, REGISTRY), SimulatedBackend(seed), seed)
    assert result.met, "\n".join(f"{step.where}: {failure}" for step, failure in result.failures)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("fault", CRASHES, ids=lambda fault: " ".join(map(str, fault.values())))
def test_a_crash_around_any_write(tmp_path: Path, fault: JSON, strategy: str) -> None:
    plays(tmp_path, [fault], strategy, seed=0)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("fault", TROUBLE, ids=str)
def test_trouble_alone(tmp_path: Path, fault: JSON, strategy: str) -> None:
    plays(tmp_path, [fault], strategy, seed=1)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("fault", TROUBLE[:-1], ids=str)
def test_trouble_with_late_events_and_crashes(tmp_path: Path, fault: JSON, strategy: str) -> None:
    plays(tmp_path, [fault, {"late-events": {"upTo": "4s"}}, AT_ONCE], strategy, seed=2)
