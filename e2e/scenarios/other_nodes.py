"""Nodes that a cluster has beside those of a scenario.

They take no pod of a scenario, and the simulator is given the same ones, so that both backends
see as many nodes.
"""

import re
from collections.abc import Set
from pathlib import Path

import yaml

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.cluster import NodeGroup, Taint
from hourglass_simulator.scenario.load import dump
from hourglass_simulator.scenario.model import Scenario
from scenarios.api import Api

TAINT = {"key": "hourglass-e2e/other-node", "effect": "NoSchedule"}

_EVERY_NODE_HAS = (
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
)


class OtherNodes:
    """The nodes that exist when the context is entered, tainted until it is left."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._taints: dict[str, list[JSON]] = {}
        self.groups: tuple[NodeGroup, ...] = ()

    def __enter__(self) -> "OtherNodes":
        for node in self._api.list("nodes"):
            name = node["metadata"]["name"]
            self._taints[name] = node["spec"].get("taints") or []
            taints = [*self._taints[name], TAINT]
            self._api.patch("nodes", "", name, {"spec": {"taints": taints}})
            self.groups += (node_group(node, taints),)
        return self

    def __exit__(self, *_: object) -> None:
        for name, taints in self._taints.items():
            self._api.patch("nodes", "", name, {"spec": {"taints": taints or None}})

    def apart(self, scenario: Scenario, directory: Path) -> Scenario:
        """The scenario, with other names for those of its nodes whose names other nodes have.

        `directory` is that of the scenario's file.
        """
        taken = {group.name for group in self.groups}
        clashing = {group.name for group in scenario.cluster.nodes if taken & {*group.names}}
        return with_other_names(scenario, clashing, directory) if clashing else scenario

    def beside(self, scenario: Scenario) -> Scenario:
        """The scenario with these nodes added to its own, for the simulator."""
        nodes = (*scenario.cluster.nodes, *self.groups)
        cluster = scenario.cluster.model_copy(update={"nodes": nodes})
        return scenario.model_copy(update={"cluster": cluster})


def with_other_names(scenario: Scenario, groups: Set[str], directory: Path) -> Scenario:
    """The scenario with `own-` before the names of the nodes of these groups, wherever they are."""
    text, nodes = dump(scenario), []
    for group in scenario.cluster.nodes:
        if group.name not in groups:
            nodes.append(group)
            continue
        nodes.append(group.model_copy(update={"name": f"own-{group.name}"}))
        for name in group.names:
            text = re.sub(rf"(?<![\w/.-]){re.escape(name)}(?![\w/-])", f"own-{name}", text)
    context = {"directory": directory}
    renamed = Scenario.model_validate(
        yaml.safe_load(text), by_alias=True, by_name=False, context=context
    )
    # A group is called otherwise than its nodes.
    cluster = renamed.cluster.model_copy(update={"nodes": tuple(nodes)})
    return renamed.model_copy(update={"cluster": cluster})


def node_group(node: JSON, taints: list[JSON]) -> NodeGroup:
    """A Node object, with these taints, in the words of a scenario."""
    metadata, allocatable = node["metadata"], node["status"]["allocatable"]
    labels: JSON = metadata.get("labels") or {}
    return NodeGroup(
        name=metadata["name"],
        cpu=allocatable["cpu"],
        memory=allocatable["memory"],
        pods=int(allocatable["pods"]),
        labels={key: value for key, value in labels.items() if key not in _EVERY_NODE_HAS},
        taints=tuple(
            Taint(key=taint["key"], value=taint.get("value", ""), effect=taint["effect"])
            for taint in taints
        ),
        devices={key: int(count) for key, count in allocatable.items() if "/" in key},
    )
