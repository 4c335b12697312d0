"""Clusters and Performers that random plans happen to."""

from dataclasses import dataclass
from typing import Any

from hourglass_simulator.scenario import Scenario
from hourglass_simulator.search.draw import Draw

STRATEGIES = ("RollingUpdate", "Recreate", "Auto")
GPU = "nvidia.com/gpu"
_GPU_NODE = {"labels": {"accelerator": "nvidia-a100"}, "devices": {GPU: 2}}
_CLUSTERS: dict[str, list[dict[str, Any]]] = {
    "plain": [{"name": "node-1"}, {"name": "node-2"}],
    "gpus": [{"name": name, **_GPU_NODE} for name in ("node-1", "node-2", "node-3")],
    "one gpu node": [{"name": "node-1", **_GPU_NODE}, {"name": "node-2"}],
}
_SETTLES = {"within": "45m", "quietFor": "6m"}


@dataclass(frozen=True, slots=True)
class World:
    """`gpus`: the cluster has some. `performers`: their manifests by name."""

    scenario: Scenario
    nodes: tuple[str, ...]
    gpus: bool
    performers: dict[str, dict[str, Any]]


def world(draw: Draw) -> World:
    """A cluster in which what the Performers ask for is there, once nothing is broken."""
    kind = draw.one(tuple(_CLUSTERS))
    gpus = kind != "plain"
    names = ("a", "b") if draw.chance(0.35) else ("a",)
    if kind == "one gpu node":
        names = ("a",)
    # On a single node of GPUs a rolling update would wait for room that never comes.
    strategies = STRATEGIES[1:] if kind == "one gpu node" else STRATEGIES
    performers = {name: _performer(draw, name, strategies, gpus=gpus) for name in names}
    nodes = _CLUSTERS[kind]
    replicas = {"operatorReplicas": 2} if draw.chance(0.08) else {}
    scenario = Scenario.model_validate(
        {
            "scenario": "A plan of the search",
            "shows": "What was drawn by chance.",
            "cluster": {"nodes": nodes, **replicas},
            "settles": _SETTLES,
        }
    )
    return World(scenario, tuple(node["name"] for node in nodes), gpus, performers)


def _performer(draw: Draw, name: str, strategies: tuple[str, ...], *, gpus: bool) -> dict[str, Any]:
    strategy: dict[str, Any] = {"type": draw.one(strategies)}
    if draw.chance(0.2):
        strategy["minReadySeconds"] = 10
    spec: dict[str, Any] = {
        "avsAddress": "0x1234567890abcdef1234567890abcdef12345678",
        "image": "avs/worker:v1",
        "upgradeStrategy": strategy,
    }
    if gpus:
        spec["hardwareRequirements"] = {"gpuType": "nvidia-a100", "gpuCount": draw.one((1, 2))}
    if draw.chance(0.2):
        spec["disruption"] = {"policy": "MoveFirst"}
    return {
        "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
        "kind": "Performer",
        "metadata": {"name": name},
        "spec": spec,
    }
