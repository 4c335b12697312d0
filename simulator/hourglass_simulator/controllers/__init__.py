"""The controllers that a pod, a Service and a node meet."""

from hourglass_simulator.controllers.definitions import DefinitionFinalizer
from hourglass_simulator.controllers.drain import cordon, drain, uncordon
from hourglass_simulator.controllers.endpoints import EndpointController
from hourglass_simulator.controllers.garbage import GarbageCollector
from hourglass_simulator.controllers.nodelifecycle import NodeLifecycle
from hourglass_simulator.controllers.podgc import PodGarbageCollector
from hourglass_simulator.controllers.tainteviction import TaintEviction

__all__ = [
    "DefinitionFinalizer",
    "EndpointController",
    "GarbageCollector",
    "NodeLifecycle",
    "PodGarbageCollector",
    "TaintEviction",
    "cordon",
    "drain",
    "uncordon",
]
