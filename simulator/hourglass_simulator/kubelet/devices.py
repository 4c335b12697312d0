"""The devices that a device plugin has announced to a kubelet.

https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
"""

from collections.abc import Set


class Devices:
    """Devices 0 to total - 1 of one resource: healthy or not, and which pod has which."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.unhealthy: set[int] = set()
        self.plugged = True
        self.owners: dict[int, str] = {}

    @property
    def allocatable(self) -> int:
        """Healthy devices, in use or not; none while the plugin is away."""
        return self.total - len(self.unhealthy) if self.plugged else 0

    @property
    def free(self) -> list[int]:
        """Healthy devices that no pod has."""
        if not self.plugged:
            return []
        return [d for d in range(self.total) if d not in self.unhealthy and d not in self.owners]

    def allocate(self, pod_uid: str, count: int) -> bool:
        """Give devices to a pod; False if there are too few."""
        free = self.free
        if len(free) < count:
            return False
        for device in free[:count]:
            self.owners[device] = pod_uid
        return True

    def release(self, pod_uid: str) -> None:
        """The pod has none any more."""
        self.owners = {d: owner for d, owner in self.owners.items() if owner != pod_uid}

    def fail(self, count: int) -> set[int]:
        """The first healthy devices, in use or not, become unhealthy; the result says which."""
        healthy = [device for device in range(self.total) if device not in self.unhealthy]
        failed = set(healthy[:count])
        self.unhealthy |= failed
        return failed

    def recover(self, devices: Set[int]) -> None:
        """These devices are healthy."""
        self.unhealthy -= devices
