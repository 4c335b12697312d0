"""The objects that a scenario's `cluster` section stands for on a real API server."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import version
from hourglass_simulator.node_object import node_object
from hourglass_simulator.scenario.cluster import Cluster

ANNOTATION = "hourglass-e2e/node"
"""On nodes that the KWOK of a scenario keeps alive; its value is `scenario`."""


def nodes(cluster: Cluster) -> Iterator[JSON]:
    """Node objects as their kubelets would register them, marked for KWOK."""
    kubelet_version = version(cluster.kubernetes).git_version
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    number = 0
    for group in cluster.nodes:
        for name in group.names:
            node = node_object(
                name, number, now, zone=None, kubelet_version=kubelet_version, **group.properties
            )
            node["metadata"].setdefault("annotations", {})[ANNOTATION] = "scenario"
            number += 1
            yield node


def others(cluster: Cluster) -> Iterator[tuple[str, JSON]]:
    """Resource and body of everything else; what has a namespace goes into the scenario's."""
    for name, value in cluster.priority_classes.items():
        yield "priorityclasses", {"metadata": {"name": name}, "value": value}
    for name in cluster.runtime_classes:
        yield "runtimeclasses", {"metadata": {"name": name}, "handler": name}
    for name in cluster.service_accounts:
        yield "serviceaccounts", {"metadata": {"name": name}}
    for name, keys in cluster.secrets.items():
        data = dict.fromkeys(keys, base64.b64encode(b"value").decode())
        yield "secrets", {"metadata": {"name": name}, "data": data}
    for name, keys in cluster.config_maps.items():
        yield "configmaps", {"metadata": {"name": name}, "data": dict.fromkeys(keys, "value")}
