"""A Performer whose device falls ill on the real kubelet, as its device plugin says."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import devices
from clusters import Cluster, wait_until
from conftest import ClusterReport
from operators import Operator, Performers

RESOURCE = "amd.com/gpu"
"""No other test asks for it: a node goes on to name what a plugin offered, once that is gone."""
LABEL = "amd.com/gpu.product-name"
NAMED_WITHIN = 10.0
"""Seconds from a device's falling ill to its name in the Performer's conditions."""
HARDWARE = {"gpuType": "amd-mi210", "gpuCount": 1}


@pytest.fixture
def plugin(
    cluster: Cluster, tmp_path: Path, cluster_report: ClusterReport
) -> Iterator[devices.Plugin]:
    """Two GPUs of the real node, which is labelled as one that has them."""
    if cluster.provider != "native":
        pytest.skip(f"{cluster.provider}: its node takes no device plugin from this machine")
    node = cluster.real_node
    cluster.kubectl("label", "node", node, f"{LABEL}=AMD_Instinct_MI210")
    try:
        with devices.device_plugin(cluster, tmp_path, cluster_report.add, RESOURCE) as found:
            yield found
    finally:
        cluster.kubectl("label", "node", node, f"{LABEL}-")


def degraded(performers: Performers) -> tuple[str, str, str]:
    """Status, reason and message of the condition."""
    conditions = performers.get("echo")["status"].get("conditions") or ()
    found: dict[str, str] = next((c for c in conditions if c["type"] == "Degraded"), {})
    return found.get("status", ""), found.get("reason", ""), found.get("message", "")


def device_of(cluster: Cluster, performers: Performers) -> str:
    """The device of the Performer's only pod, as the kubelet says."""
    (pod,) = performers.pods("echo")
    (status,) = pod["status"]["containerStatuses"]
    (resource,) = status["allocatedResourcesStatus"]
    (device,) = resource["resources"]
    found: str = device["resourceID"]
    return found


def create(performers: Performers, image: str, on_unhealthy: str) -> None:
    hardware = {**HARDWARE, "onUnhealthy": on_unhealthy}
    performers.create("echo", image, {}, hardwareRequirements=hardware)
    performers.wait_phase(["echo"], "Running")


def test_a_device_that_falls_ill_is_named_and_kept(
    cluster: Cluster,
    performers: Performers,
    operator: Operator,
    plugin: devices.Plugin,
    performer_image: str,
    cluster_report: ClusterReport,
) -> None:
    create(performers, performer_image, "Keep")
    ill = device_of(cluster, performers)
    plugin.offer(**{each: "Unhealthy" if each == ill else "Healthy" for each in ("d0", "d1")})

    def named() -> bool:
        status, reason, message = degraded(performers)
        return (status, reason) == ("True", "HardwareUnavailable") and ill in message

    began = time.monotonic()
    wait_until("the device is named", named, NAMED_WITHIN)
    seconds = time.monotonic() - began
    assert performers.get("echo")["status"]["phase"] == "Running"
    plugin.offer(d0="Healthy", d1="Healthy")
    wait_until("it is well again", lambda: degraded(performers)[0] == "False", NAMED_WITHIN)
    cluster_report.add(f"a device that fell ill was named after {seconds:.1f} s")


def test_a_performer_leaves_a_device_that_falls_ill(
    cluster: Cluster,
    performers: Performers,
    operator: Operator,
    plugin: devices.Plugin,
    performer_image: str,
) -> None:
    create(performers, performer_image, "Replace")
    (before,) = performers.pods("echo")
    ill = device_of(cluster, performers)
    plugin.offer(**{each: "Unhealthy" if each == ill else "Healthy" for each in ("d0", "d1")})

    def moved() -> bool:
        names = [pod["metadata"]["name"] for pod in performers.pods("echo")]
        return len(names) == 1 and names != [before["metadata"]["name"]]

    wait_until("another pod has taken its place", moved)
    performers.wait_phase(["echo"], "Running")
    assert device_of(cluster, performers) != ill
    assert degraded(performers)[0] == "False"
