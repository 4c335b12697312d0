"""Nodes as real clouds label them: on which gpuTypes run there, and what is said of the others.

`check` plays the operator's own controller beside each node.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hourglass_kube.types import JSON
from hourglass_operator.hardware.catalogue import load
from hourglass_simulator.harness import printed
from hourglass_simulator.harness.check import check, start_operator
from hourglass_simulator.harness.snapshot import copy_of

NODES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("cloud_nodes.yaml").read_text()
)
GPU_TYPES = [
    "nvidia-a100",
    "nvidia-a100-40gb",
    "a100-mig-1g.5gb",
    "nvidia-h100",
    "b300",
    "gb200",
    "gb300",
    "rtx-pro-6000",
    "l40s",
    "l40s-shared",
    "t4",
    "t4-shared",
    "nvidia-l4",
    "l4-shared",
    "a10g",
    "a10",
    "gpu",
    "gpu.shared",
    "mig-1g.5gb",
    "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb",
    "Tesla-T4-SHARED",
    "mi300x",
    "mi355x",
    "gaudi",
    "gaudi1",
    "intel-flex-170",
    "nvidia-a1000",
]


def node(described: dict[str, Any]) -> JSON:
    """With enough devices for every gpuType at once: how many it has is not the question."""
    devices = {name: "0" if count == "0" else "100" for name, count in described["offers"].items()}
    offers = {"cpu": "100", "memory": "100Gi", "pods": "110", **devices}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": described["name"], "labels": described["labels"]},
        "status": {
            "capacity": offers,
            "allocatable": offers,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def performer(number: int, gpu_type: str) -> JSON:
    return {
        "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
        "kind": "Performer",
        "metadata": {"name": f"p-{number}", "namespace": "team"},
        "spec": {
            "avsAddress": "0x1234567890abcdef1234567890abcdef12345678",
            "image": "avs/performer:v1",
            "hardwareRequirements": {"gpuType": gpu_type},
        },
    }


@pytest.mark.parametrize("described", NODES, ids=[each["name"] for each in NODES])
def test_what_runs_on_a_node_and_what_is_said_of_the_others(described: dict[str, Any]) -> None:
    cluster = copy_of(printed.read([node(described)]).objects).cluster
    start_operator(cluster, load())
    asked = [performer(number, gpu_type) for number, gpu_type in enumerate(GPU_TYPES)]
    answers = dict(zip(GPU_TYPES, check(cluster, asked, {}), strict=True))
    assert [gpu_type for gpu_type, answer in answers.items() if answer.runs] == described["runs"]
    for gpu_type, answer in answers.items():
        if not answer.runs:
            reasons = {condition["reason"] for condition in answer.conditions}
            assert "HardwareUnavailable" in reasons
            assert answer.message.startswith(f"needs 1 × {gpu_type}: ")
    for gpu_type, words in described.get("says", {}).items():
        assert words in answers[gpu_type].message


def test_there_are_nodes_of_every_kind() -> None:
    assert len(NODES) >= 30
    never = set(GPU_TYPES) - {gpu_type for each in NODES for gpu_type in each["runs"]}
    assert never == {"nvidia-a1000"}
