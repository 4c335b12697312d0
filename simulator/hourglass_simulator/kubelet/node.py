"""One node as its kubelet knows it: images, devices, addresses, what its pods use."""

from collections.abc import Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.devices import Devices
from hourglass_simulator.recorder import EventRecorder

_PODS_PER_BLOCK = 250


class NodeAgent:
    """The state of one kubelet; `up` is False while it reports nothing and runs nothing new."""

    __slots__ = (
        "_next_address",
        "_pod_block",
        "devices",
        "heartbeat",
        "host_ip",
        "images",
        "name",
        "node",
        "recorder",
        "up",
        "used",
    )

    def __init__(self, node: JSON, number: int, recorder: EventRecorder) -> None:
        self.name: str = node["metadata"]["name"]
        self.node = node
        self.recorder = recorder
        self.up = True
        self.heartbeat = 0.0
        """When it reported last, in seconds of the clock; kept only while it is down."""
        self.images: set[str] = set()
        self.devices: dict[str, Devices] = {}
        self.used: dict[str, int] = {}
        self._pod_block = number
        self._next_address = 0
        addresses = (node.get("status") or {}).get("addresses") or ()
        internal = [a["address"] for a in addresses if a["type"] == "InternalIP"]
        self.host_ip = internal[0] if internal else f"192.168.{number // 250}.{number % 250 + 1}"

    def pod_address(self) -> str:
        """The next address of the node's pod network."""
        self._next_address = self._next_address % _PODS_PER_BLOCK + 1
        high, low = divmod(self._pod_block, 256)
        return f"10.{128 + high % 128}.{low}.{self._next_address}"

    def take(self, requested: Mapping[str, int], sign: int = 1) -> None:
        """Count what a pod requests, or with `sign` -1 no more."""
        for resource, count in requested.items():
            self.used[resource] = self.used.get(resource, 0) + sign * count
