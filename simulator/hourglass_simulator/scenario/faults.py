"""`fault` and `heal`: names and parameters, checked against the registry of faults."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from pydantic import BaseModel

from hourglass_simulator.scenario.document import Location
from hourglass_simulator.scenario.mistakes import mistakes, unknown


class FaultType(Protocol):
    """What a scenario needs to know of a fault."""

    @property
    def doc(self) -> str:
        """What it does, in a sentence."""
        ...

    @property
    def parameters(self) -> type[BaseModel]:
        """Fields are the parameters; one without a default is required."""
        ...


def fault_mistakes(
    scenario: Any, registry: Mapping[str, FaultType]
) -> Iterator[tuple[Location, str]]:
    """Everything that is wrong with the faults of a scenario as it was read from its file."""
    steps = scenario.get("steps") if isinstance(scenario, dict) else None
    injected: set[str] = set()
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(step, dict):
            continue
        fault = step.get("fault")
        named = {fault: {}} if isinstance(fault, str) else fault
        if isinstance(named, dict):
            injected |= named.keys()
            yield from _faults(("steps", index, "fault"), named, registry)
        healed = step.get("heal")
        for name in healed if isinstance(healed, list) else [healed]:
            if isinstance(name, str) and name not in injected:
                text = f"nothing to heal: no step before this one injects the fault {name}"
                yield ("steps", index, "heal"), text


def _faults(
    at: Location, named: dict[str, Any], registry: Mapping[str, FaultType]
) -> Iterator[tuple[Location, str]]:
    for name, parameters in named.items():
        if name not in registry:
            yield (*at, name), unknown("fault", name, sorted(registry))
            continue
        for location, text in mistakes(registry[name].parameters, parameters or {}):
            yield (*at, name, *location), text
