"""What node pools need of the cluster that their nodes belong to."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet import Kubelets


class Nodes(Protocol):
    """A cluster to which nodes are added, and from which they are taken."""

    clock: Clock
    api: APIServer

    @property
    def kubelets(self) -> Kubelets:
        """The kubelets of all nodes."""

    def add_node(
        self,
        name: str,
        *,
        cpu: str,
        memory: str,
        pods: int,
        labels: Mapping[str, str] | None,
        taints: Sequence[Mapping[str, str]],
        devices: Mapping[str, int] | None,
    ) -> JSON:
        """A Ready node."""

    def remove_node(self, name: str) -> None:
        """The node is gone, and its kubelet with it."""
