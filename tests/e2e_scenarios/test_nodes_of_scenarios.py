"""Nodes: those of a scenario as objects, those of the cluster in the words of a scenario."""

from pathlib import Path
from typing import Any

from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.scenario.cluster import Cluster, NodeGroup, Taint
from hourglass_simulator.scenario.load import load
from scenarios.objects import ANNOTATION, nodes, others
from scenarios.other_nodes import TAINT, node_group, with_other_names

GROUP = NodeGroup.model_validate(
    {
        "name": "gpu",
        "count": 2,
        "cpu": "4",
        "labels": {"accelerator": "nvidia-a100"},
        "taints": ["dedicated=ml:NoSchedule", "spare:PreferNoSchedule"],
        "devices": {"nvidia.com/gpu": 2},
    }
)


def test_a_group_of_nodes_as_objects_for_kwok() -> None:
    first, second = nodes(Cluster(nodes=(GROUP,)))
    assert [first["metadata"]["name"], second["metadata"]["name"]] == ["gpu-1", "gpu-2"]
    assert first["metadata"]["annotations"][ANNOTATION] == "scenario"
    assert first["metadata"]["labels"]["accelerator"] == "nvidia-a100"
    assert first["metadata"]["labels"]["kubernetes.io/hostname"] == "gpu-1"
    assert first["spec"]["taints"] == [
        {"key": "dedicated", "value": "ml", "effect": "NoSchedule"},
        {"key": "spare", "effect": "PreferNoSchedule"},
    ]
    assert first["status"]["allocatable"]["cpu"] == "4"
    assert first["status"]["allocatable"]["nvidia.com/gpu"] == "2"


def test_objects_beside_the_nodes() -> None:
    cluster = Cluster.model_validate(
        {
            "priorityClasses": {"urgent": 1000},
            "runtimeClasses": ["gvisor"],
            "serviceAccounts": ["runner"],
            "secrets": {"keys": ["private"]},
            "configMaps": {"settings": ["mode"]},
        }
    )
    found = list(others(cluster))
    assert [(resource, body["metadata"]["name"]) for resource, body in found] == [
        ("priorityclasses", "urgent"),
        ("runtimeclasses", "gvisor"),
        ("serviceaccounts", "runner"),
        ("secrets", "keys"),
        ("configmaps", "settings"),
    ]
    assert found[0][1]["value"] == 1000
    assert found[3][1]["data"] == {"private": "dmFsdWU="}
    assert found[4][1]["data"] == {"mode": "value"}


NODE: dict[str, Any] = {
    "metadata": {
        "name": "real-node",
        "labels": {"kubernetes.io/hostname": "real-node", "disk": "ssd"},
    },
    "spec": {"taints": [{"key": "control-plane", "effect": "NoSchedule"}]},
    "status": {
        "allocatable": {
            "cpu": "2",
            "memory": "8Gi",
            "pods": "110",
            "hugepages-2Mi": "0",
            "nvidia.com/gpu": "1",
        }
    },
}


def test_a_node_of_the_cluster_in_the_words_of_a_scenario() -> None:
    assert node_group(NODE, [*NODE["spec"]["taints"], TAINT]) == NodeGroup(
        name="real-node",
        cpu="2",
        memory="8Gi",
        pods=110,
        labels={"disk": "ssd"},
        taints=(
            Taint(key="control-plane", effect="NoSchedule"),
            Taint(key="hourglass-e2e/other-node", effect="NoSchedule"),
        ),
        devices={"nvidia.com/gpu": 1},
    )


def test_nodes_that_are_called_as_one_of_the_cluster_get_other_names_everywhere() -> None:
    path = Path(__file__).parents[2] / "scenarios" / "nodes" / "drained.yaml"
    scenario = load(path, REGISTRY).scenario
    assert scenario.cluster.nodes[0].name == "node-1"
    renamed = with_other_names(scenario, {"node-1"}, path.parent)
    first, *others = renamed.cluster.nodes
    assert first.name == "own-node-1"
    assert others == [*scenario.cluster.nodes[1:]]
    assert [step.drain for step in renamed.steps if step.drain] == [("own-node-1",)]
    assert "own-own" not in str(renamed)


def test_nodes_that_a_scenario_does_not_mention_get_other_names_too() -> None:
    path = Path(__file__).parents[2] / "scenarios" / "first-performer.yaml"
    renamed = with_other_names(load(path, REGISTRY).scenario, {"node"}, path.parent)
    assert [name for group in renamed.cluster.nodes for name in group.names] == [
        "own-node-1",
        "own-node-2",
        "own-node-3",
    ]
