"""Nodes that exist in the API only, run by KWOK: https://kwok.sigs.k8s.io."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

ANNOTATION = "kwok.x-k8s.io/node"
TAINT = {"key": ANNOTATION, "value": "fake", "effect": "NoSchedule"}
"""Keeps the pods of others away from nodes on which nothing runs."""
TOLERATION = {"key": ANNOTATION, "operator": "Exists"}
"""Of pods that may go to such nodes."""
CAPACITY = {"cpu": "64", "memory": "512Gi", "pods": "250"}


def fake_node(
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    capacity: Mapping[str, str] | None = None,
    taints: tuple[Mapping[str, str], ...] = (),
) -> dict[str, Any]:
    """A Node object that KWOK keeps Ready; `capacity` is also what is allocatable."""
    resources = CAPACITY | dict(capacity or {})
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {ANNOTATION: "fake"},
            "labels": {"type": "kwok", "kubernetes.io/hostname": name} | dict(labels or {}),
        },
        "spec": {"taints": [dict(taint) for taint in taints]},
        "status": {"capacity": resources, "allocatable": resources},
    }


def is_fake(node: Mapping[str, Any]) -> bool:
    """Whether KWOK runs this Node object."""
    return ANNOTATION in node["metadata"].get("annotations", {})


def kwok_command(program: Path, kubeconfig: Path) -> list[str]:
    """The command line of a KWOK that runs the nodes made by `fake_node`."""
    return [
        str(program),
        f"--kubeconfig={kubeconfig}",
        f"--manage-nodes-with-annotation-selector={ANNOTATION}=fake",
        "--node-lease-duration-seconds=40",
    ]
