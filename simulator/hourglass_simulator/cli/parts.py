"""What the commands are plugged together from; tests plug in others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario import Backend
from hourglass_simulator.scenario.faults import FaultType


@dataclass(frozen=True, slots=True)
class Parts:
    """`backend` makes a fresh cluster from a seed; `faults` are those that scenarios may name."""

    backend: Callable[[int], Backend] = SimulatedBackend
    faults: Mapping[str, FaultType] = field(default_factory=lambda: REGISTRY)
