"""Performers that claim their GPUs, by a driver for Dynamic Resource Allocation on the real node.

The driver is the tests' own under the name of NVIDIA's, so that the catalogue is used as it is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import devices
from clusters import Cluster, wait_until
from conftest import ClusterReport
from operators import Operator, Performers

DRIVER = "gpu.nvidia.com"
GPU_0 = {
    "name": "gpu-0",
    "attributes": {
        "type": {"string": "gpu"},
        "productName": {"string": "NVIDIA A100-SXM4-40GB"},
        "architecture": {"string": "Ampere"},
    },
    "capacity": {"memory": {"value": "40Gi"}},
}
CLAIM = {"gpuType": "nvidia-a100", "allocation": "ResourceClaim"}
TAINT = {"key": "example.com/ill", "value": "yes", "effect": "NoSchedule"}
RUNNING_WITHIN = 150.0
"""Seconds: see test_devices.py."""


@pytest.fixture
def driver(
    cluster: Cluster, performers: Performers, tmp_path: Path, cluster_report: ClusterReport
) -> Iterator[devices.Driver]:
    """The driver on the real node, with one device."""
    if cluster.provider != "native":
        pytest.skip(f"{cluster.provider}: its node takes no driver from this machine")
    with devices.dra_driver(cluster, tmp_path, cluster_report.add, DRIVER) as found:
        offer(cluster, found, GPU_0)
        yield found
        # A kubelet never ends a pod whose claim no driver takes back.
        performers.delete_all()
        wait_until("all claims are given back", lambda: found.prepared == [], RUNNING_WITHIN)


def offer(cluster: Cluster, driver: devices.Driver, *offered: dict[str, Any]) -> None:
    wanted = [(each["name"], "taints" in each) for each in offered]
    driver.offer(*offered)

    def there() -> bool:
        # The API server adds to a taint when it came.
        seen = devices.published(cluster, DRIVER)
        return [(each["name"], "taints" in each) for each in seen] == wanted

    wait_until("the slice is there", there)


def create(performers: Performers, name: str, image: str, **hardware: Any) -> None:
    """A Performer on the real node."""
    performers.create(name, image, {}, hardwareRequirements=hardware)


def wait_said(performers: Performers, name: str, *words: str) -> None:
    """Return once it is Pending for want of hardware, and says all of this."""

    def said() -> bool:
        conditions = performers.get(name)["status"].get("conditions") or [{}]
        found = conditions[-1]
        reason, message = found.get("reason"), found.get("message", "")
        return reason == "HardwareUnavailable" and all(each in message for each in words)

    wait_until(f"{name} says {' … '.join(words)}", said)


def test_from_a_slice_to_running_and_back(
    cluster: Cluster,
    performers: Performers,
    operator: Operator,
    driver: devices.Driver,
    performer_image: str,
    cluster_report: ClusterReport,
) -> None:
    # Auto: no device plugin offers it.
    create(performers, "echo", performer_image, gpuType="nvidia-a100")
    performers.wait_phase(["echo"], "Running", RUNNING_WITHIN)
    (template,) = performers.items("resourceclaimtemplates")
    (owner,) = template["metadata"]["ownerReferences"]
    assert owner["uid"] == performers.get("echo")["metadata"]["uid"]
    claims = cluster.get("resourceclaims", "-n", performers.namespace)["items"]
    (allocated,) = claims[0]["status"]["allocation"]["devices"]["results"]
    assert allocated["device"] == "gpu-0"
    assert driver.prepared == [f"{performers.namespace}/{claims[0]['metadata']['name']}"]

    # The new pod gets the device of the old one: there is no other.
    performers.set_spec("echo", version="v2")
    performers.wait_phase(["echo"], "Upgrading")
    performers.wait_phase(["echo"], "Running", RUNNING_WITHIN)

    performers.delete("echo")
    wait_until("the claim is given back", lambda: driver.prepared == [])
    wait_until("the template is gone", lambda: not performers.items("resourceclaimtemplates"))
    cluster_report.add("a Performer claimed its GPU, was upgraded, and gave it back")


def test_no_device_free_is_said(
    cluster: Cluster,
    performers: Performers,
    operator: Operator,
    driver: devices.Driver,
    performer_image: str,
) -> None:
    create(performers, "first", performer_image, **CLAIM)
    performers.wait_phase(["first"], "Running", RUNNING_WITHIN)
    create(performers, "second", performer_image, **CLAIM)
    node = f"node {cluster.real_node} has 0 free of 1"
    wait_said(performers, "second", f"needs 1 × nvidia-a100: {node}", "cannot allocate all claims")
    performers.delete("first")
    performers.wait_phase(["second"], "Running", RUNNING_WITHIN)


def test_what_is_published_instead_is_said(
    performers: Performers, operator: Operator, driver: devices.Driver, performer_image: str
) -> None:
    create(performers, "echo", performer_image, **{**CLAIM, "gpuType": "nvidia-h100"})
    there = f"; there is {DRIVER}/productName=NVIDIA A100-SXM4-40GB (1 node)"
    wait_said(performers, "echo", "needs 1 × nvidia-h100: ", there)


def test_the_taint_of_a_device_is_said(
    cluster: Cluster,
    performers: Performers,
    operator: Operator,
    driver: devices.Driver,
    performer_image: str,
    cluster_report: ClusterReport,
) -> None:
    if cluster.version.startswith("v1.34."):
        why = "device taints are on by default since 1.36"
        cluster_report.add(f"1 test of claims is for --kubernetes 1.37 alone: {why}")
        pytest.skip(f"{why}; this is {cluster.version}")
    offer(cluster, driver, {**GPU_0, "taints": [TAINT]})
    create(performers, "echo", performer_image, **CLAIM)
    taint = "has the taint example.com/ill=yes:NoSchedule on device gpu-0"
    wait_said(performers, "echo", f"node {cluster.real_node} {taint}")
    offer(cluster, driver, GPU_0)
    performers.wait_phase(["echo"], "Running", RUNNING_WITHIN)
