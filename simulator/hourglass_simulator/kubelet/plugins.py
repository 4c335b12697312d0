"""Device plugins, on each node by the resource that they offer.

https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
"""

from collections.abc import Callable, Collection, Mapping, Set

from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet.devices import Devices
from hourglass_simulator.kubelet.node import NodeAgent

UNPLUGGED_SECONDS = 300.0
"""From a device plugin's leaving to its resource being forgotten."""


class DevicePlugins:
    """What the plugins say of their devices."""

    def __init__(
        self,
        clock: Clock,
        agents: Mapping[str, NodeAgent],
        offer: Callable[[str, str, str, str], None],
        changed: Callable[[str, Collection[str]], None],
    ) -> None:
        """`offer`: node, resource, capacity and allocatable; `changed`: of a node, uids of pods
        whose devices are well or ill by now.
        """
        self._clock = clock
        self._agents = agents
        self._offer = offer
        self._changed = changed

    def fail(self, node: str, resource: str, count: int) -> set[int]:
        """Healthy devices become unhealthy; pods that have them keep running.

        The result says which, for `repair`.
        """
        failed = self._agents[node].devices[resource].fail(count)
        self._report_health(node, resource, failed)
        return failed

    def repair(self, node: str, resource: str, devices: Set[int]) -> None:
        """These devices are healthy again."""
        self._agents[node].devices[resource].recover(devices)
        self._report_health(node, resource, devices)

    def unplug(self, node: str, resource: str) -> None:
        """The device plugin goes: nothing is allocatable, and later the capacity is 0 too."""
        devices = self._agents[node].devices[resource]
        devices.plugged = False
        self._report(node, resource)

        def forget() -> None:
            agent = self._agents.get(node)
            there = agent is not None and agent.devices.get(resource) is devices
            if there and not devices.plugged:
                self._offer(node, resource, "0", "0")

        self._clock.after(UNPLUGGED_SECONDS, forget)

    def plug(self, node: str, resource: str, count: int | None = None) -> None:
        """A device plugin comes, or comes back with the devices it had or with so many others."""
        devices = self._agents[node].devices.setdefault(resource, Devices(count or 0))
        if count is not None and count != devices.total:
            devices.offer(count)
        devices.plugged = True
        self._report(node, resource)

    def _report_health(self, node: str, resource: str, changed: Set[int]) -> None:
        self._report(node, resource)
        owners = self._agents[node].devices[resource].owners
        self._changed(node, {owners[device][0] for device in changed & owners.keys()})

    def _report(self, node: str, resource: str) -> None:
        devices = self._agents[node].devices[resource]
        self._offer(node, resource, str(devices.total), str(devices.allocatable))
