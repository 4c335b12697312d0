"""Counters that the devices of a pool share: partitions of one card, for instance.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/dynamic-resource-allocation/structured/internal/incubating/allocator_incubating.go
"""

from hourglass_simulator.scheduler.deviceindex import DevicesInUse
from hourglass_simulator.scheduler.pools import Counters, Device, Pool, consumed


class PoolCounters:
    """What is left of a pool's counters; counted when it is first asked for."""

    def __init__(self, pool: Pool, in_use: DevicesInUse) -> None:
        self._pool = pool
        self._in_use = in_use
        self._left: Counters | None = None

    def take(self, device: Device) -> bool:
        """Whether there is enough for a device; if so it is taken."""
        left, wanted = self._counted(), consumed(device.spec)
        for counter, amount in wanted.items():
            left[counter] -= amount
        # One that is overdrawn already keeps all devices off.
        if min(left.values()) >= 0:
            return True
        self.give_back(device)
        return False

    def give_back(self, device: Device) -> None:
        """A device is not chosen after all."""
        left = self._counted()
        for counter, amount in consumed(device.spec).items():
            left[counter] += amount

    def _counted(self) -> Counters:
        if self._left is None:
            self._left = dict(self._pool.counters)
            for device in self._pool.all_devices():
                if self._in_use.any(device.id):
                    for counter, amount in consumed(device.spec).items():
                        self._left[counter] -= amount
        return self._left
