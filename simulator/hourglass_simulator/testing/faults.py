"""Faults by name, as a test writes them."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from hourglass_simulator.faults import REGISTRY, FaultNotPossibleError, Undo, inject
from hourglass_simulator.faults.target import Target
from hourglass_simulator.scenario.mistakes import found_in, unknown


def begin(name: str, target: Target, parameters: Mapping[str, Any], seed: str) -> Undo:
    """Begin a fault.

    Raises ValueError for what is no fault or no parameter of it, and FaultNotPossibleError for one
    of something that is not there or not within reach.
    """
    if name not in REGISTRY:
        raise ValueError(f"{name}: {unknown('fault', name, sorted(REGISTRY))}")
    try:
        return inject(name, target, dict(parameters), seed)
    except ValidationError as error:
        wrong = found_in(REGISTRY[name].parameters, error)
        texts = [".".join([name, *map(str, location)]) + f": {text}" for location, text in wrong]
        raise ValueError("; ".join(texts)) from None
    except FaultNotPossibleError as error:
        raise FaultNotPossibleError(f"{name}: {error}") from None
