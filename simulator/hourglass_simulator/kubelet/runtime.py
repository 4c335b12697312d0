"""What the workers of all nodes share."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.images import ImageRegistry
from hourglass_simulator.kubelet.node import NodeAgent
from hourglass_simulator.kubelet.workload import Workload


@dataclass(frozen=True, slots=True)
class Runtime:
    """Time, the API server, images, chance, and behaviours declared for pods and containers."""

    clock: Clock
    api: APIServer
    images: ImageRegistry
    random: random.Random
    workload: Callable[[JSON, Container], Workload]
    """(pod, container) → how it behaves."""

    @staticmethod
    def user(agent: NodeAgent) -> str:
        """Who a kubelet is to the API server."""
        return f"system:node:{agent.name}"
