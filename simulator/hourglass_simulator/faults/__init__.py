"""Faults that a scenario can inject: named, seeded, and free to be combined."""

from collections.abc import Mapping
from random import Random
from typing import Any

from hourglass_simulator.cluster import LeftOutError
from hourglass_simulator.faults import (
    api,
    containers,
    devices,
    drivers,
    images,
    nodes,
    operators,
    pods,
    pools,
    pressure,
    watches,
    webhooks,
)
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.target import FaultNotPossibleError, FaultType, Target

__all__ = ["REGISTRY", "FaultNotPossibleError", "FaultType", "Target", "Undo", "inject"]

_ALL: tuple[FaultType[Any], ...] = (
    *api.FAULTS,
    *containers.FAULTS,
    *devices.FAULTS,
    *drivers.FAULTS,
    *images.FAULTS,
    *nodes.FAULTS,
    *operators.FAULTS,
    *pods.FAULTS,
    *pools.FAULTS,
    *pressure.FAULTS,
    *watches.FAULTS,
    *webhooks.FAULTS,
)
REGISTRY: Mapping[str, FaultType[Any]] = {
    fault.name: fault for fault in sorted(_ALL, key=lambda fault: fault.name)
}
"""Every fault by its name, sorted."""


def inject(name: str, target: Target, parameters: dict[str, Any], seed: str) -> Undo:
    """Begin a fault; its random numbers depend on its name and the seed alone.

    Raises KeyError for an unknown fault, pydantic.ValidationError for bad parameters, and
    FaultNotPossibleError for a fault of something that is not there or not simulated.
    """
    try:
        return REGISTRY[name].begin(target, parameters, Random(f"{name}/{seed}"))
    except LeftOutError as error:
        raise FaultNotPossibleError(str(error)) from error
