"""Devices that several claims share, while an allocation is sought."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from hourglass_kube import quantity
from hourglass_simulator.scheduler.capacity import Amounts
from hourglass_simulator.scheduler.deviceindex import DevicesInUse
from hourglass_simulator.scheduler.pools import DeviceID


class Shares:
    """What is held of devices by other claims, and by those that are being served."""

    def __init__(self, in_use: DevicesInUse) -> None:
        self._in_use = in_use
        self._number: Counter[DeviceID] = Counter()
        self._mine: dict[DeviceID, dict[str, Decimal]] = {}

    def any(self, device: DeviceID) -> bool:
        """Whether anybody shares a device."""
        return self._number[device] > 0 or self._in_use.shared(device)

    def held(self, device: DeviceID) -> Amounts:
        """How much of each capacity is taken."""
        held = dict(self._in_use.consumed(device))
        for name, amount in self._mine.get(device, {}).items():
            held[name] = held.get(name, Decimal(0)) + amount
        return held

    def add(self, device: DeviceID, consumed: Mapping[str, str]) -> None:
        """Another share."""
        self._count(device, consumed, 1)

    def remove(self, device: DeviceID, consumed: Mapping[str, str]) -> None:
        """A share is not chosen after all."""
        self._count(device, consumed, -1)

    def _count(self, device: DeviceID, consumed: Mapping[str, str], sign: int) -> None:
        self._number[device] += sign
        mine = self._mine.setdefault(device, {})
        for name, amount in consumed.items():
            mine[name] = mine.get(name, Decimal(0)) + sign * quantity.parse(amount)
