"""The controllers that a pod, a Service and a node meet."""

from hourglass_simulator.controllers.definitions import DefinitionFinalizer
from hourglass_simulator.controllers.drain import cordon, drain, uncordon
from hourglass_simulator.controllers.endpoints import EndpointController
from hourglass_simulator.controllers.garbage import GarbageCollector
from hourglass_simulator.controllers.resourcequota import ResourceQuotaController

__all__ = [
    "DefinitionFinalizer",
    "EndpointController",
    "GarbageCollector",
    "ResourceQuotaController",
    "cordon",
    "drain",
    "uncordon",
]
