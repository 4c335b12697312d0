"""What DynamicResources looks up for each node and claim, kept up to date."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.scheduler.capacity import Amounts
from hourglass_simulator.scheduler.pools import DeviceID, PoolID


class SliceIndex:
    """ResourceSlices by the node that they are for, and by pool."""

    def __init__(self) -> None:
        self._by_node: dict[str, dict[str, JSON]] = {}
        self._by_pool: dict[PoolID, dict[str, JSON]] = {}

    def apply(self, event: WatchEvent) -> None:
        """Take a change of a slice in; the node and pool of a slice never change."""
        name, spec = event.object["metadata"]["name"], event.object["spec"]
        for known in (
            self._by_node.setdefault(spec.get("nodeName") or "", {}),
            self._by_pool.setdefault((spec["driver"], spec["pool"]["name"]), {}),
        ):
            if event.type == "DELETED":
                known.pop(name, None)
            else:
                known[name] = event.object

    def of(self, node: str) -> list[JSON]:
        """Slices of a node, and those that may be for several."""
        return [*self._by_node.get(node, {}).values(), *self._by_node.get("", {}).values()]

    def of_pool(self, pool: PoolID) -> Sequence[JSON]:
        """All slices of a pool, of any generation."""
        return list(self._by_pool.get(pool, {}).values())


class DevicesInUse:
    """Which devices claims hold, alone or shared; access of administrators holds none."""

    def __init__(self) -> None:
        self._alone: Counter[DeviceID] = Counter()
        self._shares: Counter[DeviceID] = Counter()
        self._consumed: dict[DeviceID, dict[str, Decimal]] = {}

    def dedicated(self, device: DeviceID) -> bool:
        """Whether a claim has a device alone."""
        return self._alone[device] > 0

    def shared(self, device: DeviceID) -> bool:
        """Whether claims share a device."""
        return self._shares[device] > 0

    def any(self, device: DeviceID) -> bool:
        """Whether any claim has it."""
        return self.dedicated(device) or self.shared(device)

    def consumed(self, device: DeviceID) -> Amounts:
        """What those that share a device have of its capacity."""
        return self._consumed.get(device, {})

    def replace(self, before: JSON | None, after: JSON | None) -> None:
        """A claim has changed."""
        for claim, sign in ((before, -1), (after, 1)):
            for result in _results(claim):
                self._count(result, sign)

    def _count(self, result: JSON, sign: int) -> None:
        device = (result["driver"], result["pool"], result["device"])
        if not result.get("shareID"):
            self._alone[device] += sign
            return
        self._shares[device] += sign
        held = self._consumed.setdefault(device, {})
        for name, amount in (result.get("consumedCapacity") or {}).items():
            held[name] = held.get(name, Decimal(0)) + sign * quantity.parse(amount)


def _results(claim: JSON | None) -> Iterator[JSON]:
    allocation = ((claim or {}).get("status") or {}).get("allocation") or {}
    for one in (allocation.get("devices") or {}).get("results") or ():
        if not one.get("adminAccess"):
            yield one
