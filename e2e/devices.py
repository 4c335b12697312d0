"""Devices of the real node that exist in a file only: of a device plugin, and of a DRA driver.

Both are processes of this machine (`native/devices`), so they need the provider `native`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clusters import Cluster, wait_until
from clusters.build import program
from clusters.log import Log
from clusters.native import FOLDER
from processes import process

PLUGINS = Path("/var/lib/kubelet/device-plugins")
"""Where every kubelet looks for device plugins, wherever its own files are."""
RESOURCE = "e2e.example.com/gpu"
DRIVER = "gpu.example.com"


class Plugin:
    """A device plugin for one resource."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def offer(self, **health: str) -> None:
        """These devices are there, each Healthy or Unhealthy."""
        _replace(self._file, "".join(f"{name} {state}\n" for name, state in health.items()))


class Driver:
    """A DRA driver that publishes one slice."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._said: dict[str, Any] = {}

    def offer(self, *devices: Mapping[str, Any]) -> None:
        """These devices are there, as ResourceSlices write them."""
        self._say(slices=[{"devices": devices}])

    def report(self, device: str, health: str, message: str = "") -> None:
        """A device is Healthy or Unhealthy."""
        self._say(health={device: {"health": health, "message": message}})

    @property
    def prepared(self) -> list[str]:
        """The claims that are prepared, as `namespace/name`."""
        file = self._file.with_name(f"{self._file.name}.prepared")
        return file.read_text().split() if file.exists() else []

    def _say(self, **change: Any) -> None:
        self._said |= change
        _replace(self._file, json.dumps(self._said))


@contextmanager
def device_plugin(
    cluster: Cluster, folder: Path, log: Log, resource: str = RESOURCE
) -> Iterator[Plugin]:
    """While inside, the real node has a device plugin, first with the devices d0 and d1."""
    plugin = Plugin(folder / "plugin")
    plugin.offer(d0="Healthy", d1="Healthy")
    command: list[str | Path] = [program("device-plugin", log), PLUGINS, resource]
    with process([*command, folder / "plugin"], folder / "plugin.log"):
        wait_until("the node offers two devices", lambda: offered(cluster, resource) == ("2", "2"))
        yield plugin


def offered(cluster: Cluster, resource: str = RESOURCE) -> tuple[str, str]:
    """Capacity and allocatable of a resource on the real node."""
    status = cluster.get("node", cluster.real_node)["status"]
    return status["capacity"].get(resource, ""), status["allocatable"].get(resource, "")


@contextmanager
def dra_driver(cluster: Cluster, folder: Path, log: Log, name: str = DRIVER) -> Iterator[Driver]:
    """While inside, the real node has a DRA driver, and the cluster a class of its name."""
    driver = Driver(folder / "driver")
    driver.offer()
    command: list[str | Path] = [program("dra-driver", log), FOLDER / "kubelet", name]
    only = {"cel": {"expression": f'device.driver == "{name}"'}}
    cluster.apply(
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "DeviceClass",
            "metadata": {"name": name},
            "spec": {"selectors": [only]},
        }
    )
    environment, log_file = {"KUBECONFIG": str(cluster.kubeconfig)}, folder / "driver.log"
    try:
        with process([*command, cluster.real_node, folder / "driver"], log_file, **environment):
            yield driver
    finally:
        cluster.kubectl("delete", "resourceslices", "--all")


def published(cluster: Cluster, driver: str = DRIVER) -> list[dict[str, Any]]:
    """The devices of a driver that the API has."""
    slices = cluster.get("resourceslices")["items"]
    return [
        device
        for one in slices
        if one["spec"]["driver"] == driver
        for device in one["spec"].get("devices") or ()
    ]


def _replace(file: Path, text: str) -> None:
    """At once: the program may read it at any time."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)
