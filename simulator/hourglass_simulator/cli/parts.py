"""What the commands are plugged together from; tests plug in others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import click

from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.kubernetes.version import version
from hourglass_simulator.scenario import Backend
from hourglass_simulator.scenario.cluster import Cluster
from hourglass_simulator.scenario.faults import FaultType


def simulated(seed: int, cluster: Cluster) -> Backend:
    """A simulated cluster that is as empty as a scenario's is before its nodes."""
    return SimulatedBackend(
        seed,
        version(cluster.kubernetes, resizes_pods=cluster.resizes_pods),
        managed_fields=cluster.managed_fields,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """`backend` makes a fresh cluster; `faults` are those that scenarios may name."""

    backend: Callable[[int, Cluster], Backend] = simulated
    faults: Mapping[str, FaultType] = field(default_factory=lambda: REGISTRY)


pass_parts = click.make_pass_decorator(Parts, ensure=True)
