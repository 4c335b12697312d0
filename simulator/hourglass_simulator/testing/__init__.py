"""A simulated Kubernetes for tests of operators: docs/any-operator.md."""

from hourglass_simulator.apiserver import APIError, CallTimeoutError
from hourglass_simulator.testing.client import Client
from hourglass_simulator.testing.options import Options, OptionsError, options
from hourglass_simulator.testing.served_cluster import ServedCluster
from hourglass_simulator.testing.simulated_cluster import SimulatedCluster
from hourglass_simulator.testing.timeline import Entry
from hourglass_simulator.testing.writes import Write, Writes

__all__ = [
    "APIError",
    "CallTimeoutError",
    "Client",
    "Entry",
    "Options",
    "OptionsError",
    "ServedCluster",
    "SimulatedCluster",
    "Write",
    "Writes",
    "options",
]
