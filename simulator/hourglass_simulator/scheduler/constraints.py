"""What the devices of a claim must have in common, or may not.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/dynamic-resource-allocation/structured/internal/incubating/constraint.go
"""

from dataclasses import dataclass, field

from hourglass_kube.types import JSON
from hourglass_simulator.scheduler.pools import Device


@dataclass(slots=True)
class Constraint:
    """`matchAttribute`, or `distinctAttribute` where `distinct`."""

    attribute: str
    requests: frozenset[str]
    """Names of the requests, or alternatives of requests, that it is about; none: all."""
    distinct: bool = False
    values: list[JSON] = field(default_factory=list)

    def add(self, request: str, device: Device) -> bool:
        """Whether a device may join those that are chosen; if so it has.

        `request` is `request` or `request/alternative`.
        """
        if not self._applies(request):
            return True
        value = self._value(device)
        if value is None or (self.values and (value in self.values) is self.distinct):
            return False
        self.values.append(value)
        return True

    def remove(self, request: str) -> None:
        """The device that joined last is not chosen after all."""
        if self._applies(request):
            self.values.pop()

    def _applies(self, request: str) -> bool:
        names = {request, request.split("/")[0]}
        return not self.requests or bool(names & self.requests)

    def _value(self, device: Device) -> JSON | None:
        attributes = device.spec.get("attributes") or {}
        if self.attribute in attributes:
            found: JSON = attributes[self.attribute]
            return found
        domain, _, name = self.attribute.partition("/")
        return attributes.get(name) if domain == device.id[0] else None


def constraints_of(claim: JSON) -> list[Constraint]:
    """Those of a claim."""
    found = []
    for one in (claim["spec"].get("devices") or {}).get("constraints") or ():
        requests = frozenset(one.get("requests") or ())
        if "matchAttribute" in one:
            found.append(Constraint(one["matchAttribute"], requests))
        elif "distinctAttribute" in one:
            found.append(Constraint(one["distinctAttribute"], requests, distinct=True))
    return found
