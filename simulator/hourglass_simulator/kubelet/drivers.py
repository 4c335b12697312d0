"""Drivers of Dynamic Resource Allocation, on each node by name.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/cm/dra/plugin/dra_plugin_manager.go
"""

from collections.abc import Callable, Collection, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet.driver import Driver

NOT_FOUND = 404
RETRY_SECONDS = 1.0
WIPE_SECONDS = 30.0
"""From a driver's leaving to the kubelet's deleting its ResourceSlices."""


class Drivers:
    """Starts and stops drivers and speaks for them."""

    def __init__(
        self,
        clock: Clock,
        api: APIServer,
        changed: Callable[[str, Collection[tuple[str, str]]], None],
    ) -> None:
        """`changed`: of a node, the (driver, device) whose health is another."""
        self._clock = clock
        self._api = api
        self._changed = changed
        self._nodes: dict[str, dict[str, Driver]] = {}

    def of(self, node: str) -> dict[str, Driver]:
        """The drivers of a node by name; they come back with it when it was removed."""
        return self._nodes.setdefault(node, {})

    def start(self, node: str, name: str, devices: Sequence[JSON] | None = None) -> None:
        """A driver comes with these devices, or comes back with those it had.

        They are written as ResourceSlices write them.
        """
        driver = self.of(node).setdefault(name, Driver())
        driver.there = True
        if devices is not None:
            driver.devices = devices
        self._write(node, name)
        self._changed(node, [(name, device["name"]) for device in driver.devices])

    def stop(self, node: str, name: str) -> None:
        """A driver goes: nobody knows how its devices are, and later its slices are gone."""
        driver = self.of(node).setdefault(name, Driver())
        driver.there = False

        self._clock.after(WIPE_SECONDS, lambda: self._write(node, name))

    def refuse(self, node: str, name: str, why: str) -> None:
        """A driver prepares no claims any more; empty: it does again."""
        self.of(node).setdefault(name, Driver()).refusal = why

    def report(self, node: str, name: str, device: str, health: str, message: str = "") -> None:
        """A driver says how a device is: Healthy, Unhealthy or Unknown."""
        driver = self.of(node)[name]
        if driver.health(device) != (health, message):
            driver.said[device] = (health, message)
            self._changed(node, [(name, device)])

    def renew(self, node: str) -> None:
        """The node is registered anew: its drivers publish their devices for it."""
        for name in self.of(node):
            self._write(node, name)

    def _write(self, node: str, name: str) -> None:
        """Bring the slices in line with the driver, again and again until that is done."""
        try:
            owner = self._api.get("nodes", "", node)
            self._publish(owner, name, self.of(node)[name])
        except (APIError, CallTimeoutError) as error:
            if not isinstance(error, APIError) or error.code != NOT_FOUND:
                self._clock.after(RETRY_SECONDS, lambda: self._write(node, name))

    def _publish(self, owner: JSON, name: str, driver: Driver) -> None:
        """One slice, as so few devices need no more; what has changed makes a new generation.

        What was of a node before it was registered anew goes; so does all of a driver that is not
        there.
        """
        meta, devices = owner["metadata"], list(driver.devices)
        kept = False
        for one in self._api.list("resourceslices").items:
            spec, found = one["spec"], one["metadata"]
            if (spec["driver"], spec.get("nodeName")) != (name, meta["name"]):
                continue
            owners = [each["uid"] for each in found.get("ownerReferences") or ()]
            if not driver.there or owners != [meta["uid"]]:
                self._api.delete("resourceslices", "", found["name"])
                continue
            kept = True
            if spec.get("devices") != devices:
                pool = {**spec["pool"], "generation": spec["pool"]["generation"] + 1}
                change = {"spec": {"devices": devices, "pool": pool}}
                self._api.patch("resourceslices", "", found["name"], change)
        if driver.there and not kept:
            self._api.create("resourceslices", _slice(meta, name, devices))


def _slice(node: JSON, driver: str, devices: list[JSON]) -> JSON:
    """`node` is the metadata of the slice's owner."""
    name = node["name"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["uid"]}
    meta = {
        "generateName": f"{name}-{driver}-",
        "ownerReferences": [{**owner, "controller": True}],
    }
    pool = {"name": name, "generation": 1, "resourceSliceCount": 1}
    return {
        "metadata": meta,
        "spec": {"driver": driver, "nodeName": name, "pool": pool, "devices": devices},
    }
