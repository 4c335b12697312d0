"""What DynamicResources looks up for each node and claim, kept up to date."""

from collections import Counter
from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.scheduler.allocator import DeviceID


class SliceIndex:
    """ResourceSlices by the node that they are for."""

    def __init__(self) -> None:
        self._by_node: dict[str, dict[str, JSON]] = {}

    def apply(self, event: WatchEvent) -> None:
        """Take a change of a slice in; the node of a slice never changes."""
        name = event.object["metadata"]["name"]
        node = event.object["spec"].get("nodeName") or ""
        if event.type == "DELETED":
            self._by_node.get(node, {}).pop(name, None)
        else:
            self._by_node.setdefault(node, {})[name] = event.object

    def of(self, node: str) -> list[JSON]:
        """Slices of a node, and those that may be for several."""
        return [*self._by_node.get(node, {}).values(), *self._by_node.get("", {}).values()]


class DevicesInUse(Counter[DeviceID]):
    """How many claims hold each device; access of administrators holds none."""

    def replace(self, before: JSON | None, after: JSON | None) -> None:
        """A claim has changed."""
        for device in _devices(before):
            self[device] -= 1
            if not self[device]:
                del self[device]
        for device in _devices(after):
            self[device] += 1


def _devices(claim: JSON | None) -> Iterator[DeviceID]:
    allocation = ((claim or {}).get("status") or {}).get("allocation") or {}
    for one in (allocation.get("devices") or {}).get("results") or ():
        if not one.get("adminAccess"):
            yield one["driver"], one["pool"], one["device"]
