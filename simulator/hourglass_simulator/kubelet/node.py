"""One node as its kubelet knows it: images, devices, addresses, what its pods use."""

import uuid
from collections.abc import Mapping
from itertools import chain

from hourglass_kube import podresources
from hourglass_kube.node import NodeView, view
from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.devices import Devices
from hourglass_simulator.kubelet.driver import Driver
from hourglass_simulator.recorder import EventRecorder

_PODS_PER_BLOCK = 250

HostPort = tuple[str, str, int]
"""Address, protocol and number."""


class NodeAgent:
    """The state of one kubelet; `up` is False while it reports nothing and runs nothing new."""

    __slots__ = (
        "_next_address",
        "_node",
        "_offered",
        "_pod_block",
        "_view",
        "ahead",
        "boots",
        "devices",
        "drivers",
        "heartbeat",
        "host_ip",
        "images",
        "name",
        "paths",
        "ports",
        "recorder",
        "runtime_handlers",
        "sandbox_failure",
        "shutting_down",
        "up",
        "used",
    )

    def __init__(
        self, node: JSON, number: int, recorder: EventRecorder, drivers: Mapping[str, Driver]
    ) -> None:
        self.name: str = node["metadata"]["name"]
        self.node = node
        self.recorder = recorder
        self.up = True
        self.ahead = 0.0
        """Seconds that the node's clock is ahead of the cluster's; behind, if negative."""
        self.boots = 0
        """How often its machine was booted since the start."""
        self.heartbeat = 0.0
        """When it reported last, in seconds of the clock; kept only while it is down."""
        self.sandbox_failure = ""
        """Why the runtime can make no sandbox for a pod; empty if it can."""
        self.shutting_down = False
        """Its pods are being ended, and no new ones are taken in."""
        self.runtime_handlers: frozenset[str] | None = None
        """What its runtime has handlers for; None: for everything."""
        self.paths: dict[str, str] = {}
        """What is at paths of its file system: Directory, File or Socket; all else is as wanted."""
        self.ports: dict[str, frozenset[HostPort]] = {}
        """The ports of the node that pods hold, by the pod's uid."""
        self.images: dict[str, int] = {}
        """Which build of each image it has."""
        self.devices: dict[str, Devices] = {}
        self.drivers = drivers
        """Drivers of Dynamic Resource Allocation that were started or stopped on it, by name."""
        self.used: dict[str, int] = {}
        self._pod_block = number
        self._next_address = 0
        addresses = (node.get("status") or {}).get("addresses") or ()
        internal = [a["address"] for a in addresses if a["type"] == "InternalIP"]
        self.host_ip = internal[0] if internal else f"192.168.{number // 250}.{number % 250 + 1}"

    @property
    def node(self) -> JSON:
        """The latest version of its Node that it has seen."""
        return self._node

    @node.setter
    def node(self, node: JSON) -> None:
        self._node = node
        self._view: NodeView | None = None
        self._offered: Mapping[str, int] | None = None

    @property
    def view(self) -> NodeView:
        """Its Node, trimmed; worked out once for all pods that come between two changes of it."""
        if self._view is None:
            self._view = view(self._node)
        return self._view

    @property
    def offered(self) -> Mapping[str, int]:
        """What is allocatable on it, in the units of `podresources.requests`."""
        if self._offered is None:
            self._offered = podresources.allocatable(self.view.allocatable)
        return self._offered

    @property
    def boot_id(self) -> str:
        """What the machine calls itself since it was booted last."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}/{self.boots}"))

    def pod_address(self) -> str:
        """The next address of the node's pod network."""
        self._next_address = self._next_address % _PODS_PER_BLOCK + 1
        high, low = divmod(self._pod_block, 256)
        return f"10.{128 + high % 128}.{low}.{self._next_address}"

    @property
    def ports_in_use(self) -> frozenset[HostPort]:
        """The ports of the node that any pod holds."""
        return frozenset(chain.from_iterable(self.ports.values()))

    def take(self, requested: Mapping[str, int], sign: int = 1) -> None:
        """Count what a pod requests, or with `sign` -1 no more."""
        for resource, count in requested.items():
            self.used[resource] = self.used.get(resource, 0) + sign * count
