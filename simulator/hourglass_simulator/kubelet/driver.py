"""A driver of Dynamic Resource Allocation as its node's kubelet knows it.

A driver that nobody has started here is taken for one that prepares every claim and says nothing
of its devices' health: ResourceSlices of a real cluster come without their drivers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hourglass_kube.types import JSON

HEALTHY, UNKNOWN = "Healthy", "Unknown"


@dataclass(slots=True)
class Driver:
    """A driver that runs on a node, or ran there."""

    there: bool = True
    refusal: str = ""
    """Why it prepares no claims; empty if it does."""
    devices: Sequence[JSON] = ()
    said: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By device its health, and a message or nothing; the others of its devices are healthy."""

    def health(self, device: str) -> tuple[str, str]:
        """How a device is as far as the kubelet knows, and a message or nothing."""
        if not self.there or not any(known["name"] == device for known in self.devices):
            return UNKNOWN, ""
        return self.said.get(device, (HEALTHY, ""))
