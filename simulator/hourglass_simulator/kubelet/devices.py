"""The devices that a device plugin has announced to a kubelet.

https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
"""

from collections.abc import Set

MOST_DEVICES = 100_000
"""More is an amount, not devices: a plugin lists each device, and no machine has so many."""


class Devices:
    """The numbered devices of one resource: healthy or not, and which pod has which."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._first = 0
        self.unhealthy: set[int] = set()
        self.plugged = True
        self.owners: dict[int, tuple[str, str]] = {}
        """By device the pod and the container that have it."""

    @property
    def allocatable(self) -> int:
        """Healthy devices, in use or not; none while the plugin is away."""
        return self.total - len(self.unhealthy) if self.plugged else 0

    @property
    def free(self) -> list[int]:
        """Healthy devices that no pod has."""
        if not self.plugged:
            return []
        return [d for d in self._offered if d not in self.unhealthy and d not in self.owners]

    def allocate(self, pod_uid: str, container: str, count: int) -> bool:
        """Give devices to a container; False if there are too few."""
        free = self.free
        if len(free) < count:
            return False
        for device in free[:count]:
            self.owners[device] = (pod_uid, container)
        return True

    def held(self, pod_uid: str, container: str) -> list[int]:
        """The devices of a container."""
        return sorted(d for d, owner in self.owners.items() if owner == (pod_uid, container))

    def health(self, device: int) -> str:
        """As the status of a pod that has it says it.

        That is what the plugin has said last, also when it is away; a device that it does not
        offer any more counts as healthy.
        """
        return "Unhealthy" if device in self.unhealthy else "Healthy"

    def release(self, pod_uid: str) -> None:
        """The pod has none any more."""
        self.owners = {d: owner for d, owner in self.owners.items() if owner[0] != pod_uid}

    def fail(self, count: int) -> set[int]:
        """The first healthy devices, in use or not, become unhealthy; the result says which."""
        healthy = [device for device in self._offered if device not in self.unhealthy]
        failed = set(healthy[:count])
        self.unhealthy |= failed
        return failed

    @property
    def _offered(self) -> range:
        return range(self._first, self._first + self.total)

    def offer(self, total: int) -> None:
        """So many others are there instead, all of them healthy; pods keep what they have."""
        self._first += self.total
        self.total = total
        self.unhealthy.clear()

    def recover(self, devices: Set[int]) -> None:
        """These devices are healthy."""
        self.unhealthy -= devices
