"""Devices that fall ill on the real kubelet, and Dynamic Resource Allocation with a real driver.

What the API says at each step is recorded in `tests/goldens/devices`, which the simulator follows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import devices
from clusters import Cluster, wait_until
from conftest import ClusterReport

GPU_0 = {
    "name": "gpu-0",
    "attributes": {
        "product": {"string": "NVIDIA A100"},
        "architecture": {"string": "Ampere"},
    },
    "capacity": {"memory": {"value": "40Gi"}},
}
RUNNING_WITHIN = 150.0
"""Seconds: a kubelet that is faster than the API server's knowledge of who may read which claim is
refused it, and tries again after up to 90.
"""
ILL_WITHIN = 10.0
"""Seconds from a device's falling ill to its being in the pod's status."""


@pytest.fixture
def real_kubelet(cluster: Cluster) -> Cluster:
    """The cluster; a test is skipped where the node is not this machine."""
    if cluster.provider != "native":
        pytest.skip(f"{cluster.provider}: its node takes no device plugin from this machine")
    return cluster


def minor(cluster: Cluster) -> int:
    return int(cluster.version.split(".")[1])


@pytest.fixture
def plugin(
    real_kubelet: Cluster, tmp_path: Path, cluster_report: ClusterReport
) -> Iterator[devices.Plugin]:
    with devices.device_plugin(real_kubelet, tmp_path, cluster_report.add) as found:
        yield found


@pytest.fixture
def driver(
    real_kubelet: Cluster, tmp_path: Path, cluster_report: ClusterReport
) -> Iterator[devices.Driver]:
    if minor(real_kubelet) < 34:
        pytest.skip(f"resource.k8s.io/v1 is served since 1.34; this is {real_kubelet.version}")
    with devices.dra_driver(real_kubelet, tmp_path, cluster_report.add) as found:
        yield found


def pod(name: str, image: str, **spec: Any) -> dict[str, Any]:
    resources = spec.pop("resources")
    container = {"name": "c", "image": image, "imagePullPolicy": "Never", "resources": resources}
    plain = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **plain, **spec},
    }


def claiming(name: str, image: str, claim: str) -> dict[str, Any]:
    """A pod that uses a claim of its own, made from a template."""
    wanted = [{"name": "gpu", "resourceClaimTemplateName": claim}]
    return pod(name, image, resources={"claims": [{"name": "gpu"}]}, resourceClaims=wanted)


def wish(expression: str = "") -> dict[str, Any]:
    """The spec of a claim for one device, if given one that fits the CEL expression."""
    exactly: dict[str, Any] = {"deviceClassName": devices.DRIVER}
    if expression:
        exactly["selectors"] = [{"cel": {"expression": expression}}]
    return {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}


def template(name: str, expression: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": name},
        "spec": {"spec": wish(expression)},
    }


def claim_of(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": name},
        "spec": wish(),
    }


def create(cluster: Cluster, namespace: str, *objects: dict[str, Any]) -> None:
    for one in objects:
        meta = {**one["metadata"], "namespace": namespace}
        cluster.apply({**one, "metadata": meta})


def status(cluster: Cluster, namespace: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cluster.get("pod", name, "-n", namespace)["status"]
    return found


def wait_running(cluster: Cluster, namespace: str, name: str) -> None:
    wait_until(f"{name} is Running", lambda: status(cluster, namespace, name)["phase"] == "Running")


def health(cluster: Cluster, namespace: str, name: str) -> list[tuple[str, str, str, str]]:
    """Resource, device, health and message of what the pod's only container has."""
    containers = status(cluster, namespace, name).get("containerStatuses") or [{}]
    return [
        (resource["name"], one["resourceID"], one["health"], one.get("message", ""))
        for resource in containers[0].get("allocatedResourcesStatus") or ()
        for one in resource["resources"]
    ]


def wait_offered(cluster: Cluster, count: str) -> None:
    """Return once so many of the two devices are allocatable."""
    what = f"{count} devices are allocatable"
    wait_until(what, lambda: devices.offered(cluster) == ("2", count))


def wait_health(
    cluster: Cluster, namespace: str, expected: list[tuple[str, str, str, str]]
) -> None:
    def shown() -> bool:
        return sorted(health(cluster, namespace, "p")) == expected

    wait_until(f"the pod shows {expected}", shown, ILL_WITHIN)


def refusal(cluster: Cluster, namespace: str, name: str) -> str:
    """Why the scheduler does not place the pod, without what follows about preemption."""

    def messages() -> list[str]:
        conditions = status(cluster, namespace, name).get("conditions") or ()
        return [c["message"] for c in conditions if c.get("reason") == "Unschedulable"]

    wait_until(f"{name} is Unschedulable", lambda: messages() != [])
    return messages()[0].partition(". ")[0]


def test_a_pod_shows_that_its_device_is_ill_and_well_again(
    real_kubelet: Cluster, namespace: str, plugin: devices.Plugin, performer_image: str
) -> None:
    cluster = real_kubelet
    limits = {"limits": {devices.RESOURCE: "2"}}
    create(cluster, namespace, pod("p", performer_image, resources=limits))
    wait_running(cluster, namespace, "p")
    for state in ("Healthy", "Unhealthy", "Healthy"):
        plugin.offer(d0=state, d1="Healthy")
        expected = [(devices.RESOURCE, "d0", state, ""), (devices.RESOURCE, "d1", "Healthy", "")]
        wait_health(cluster, namespace, expected)
        wait_offered(cluster, "1" if state == "Unhealthy" else "2")
    assert status(cluster, namespace, "p")["containerStatuses"][0]["restartCount"] == 0


def test_a_pod_that_wants_more_devices_than_are_well_fails(
    real_kubelet: Cluster, namespace: str, plugin: devices.Plugin, performer_image: str
) -> None:
    cluster = real_kubelet
    plugin.offer(d0="Unhealthy", d1="Healthy")
    wait_offered(cluster, "1")
    wanted = {"limits": {devices.RESOURCE: "2"}}
    past = {"nodeName": cluster.real_node}
    create(cluster, namespace, pod("p", performer_image, resources=wanted, **past))
    wait_until("it is refused", lambda: status(cluster, namespace, "p")["phase"] == "Failed")
    found = status(cluster, namespace, "p")
    assert found["reason"] == "UnexpectedAdmissionError"
    assert found["message"].endswith(
        f"requested number of devices unavailable for {devices.RESOURCE}. "
        "Requested: 2, Available: 1, which is unexpected"
    )


def test_from_a_slice_to_a_running_pod_and_back(
    real_kubelet: Cluster, namespace: str, driver: devices.Driver, performer_image: str
) -> None:
    cluster = real_kubelet
    driver.offer(GPU_0)
    wait_until("the slice is there", lambda: devices.published(cluster) == [GPU_0])
    ampere = f'device.attributes["{devices.DRIVER}"].architecture == "Ampere"'
    create(cluster, namespace, template("gpu", ampere), claiming("p", performer_image, "gpu"))
    wait_running(cluster, namespace, "p")
    (claim,) = cluster.get("resourceclaims", "-n", namespace)["items"]
    (allocated,) = claim["status"]["allocation"]["devices"]["results"]
    assert (allocated["pool"], allocated["device"]) == (cluster.real_node, "gpu-0")
    assert driver.prepared == [f"{namespace}/{claim['metadata']['name']}"]
    cluster.kubectl("delete", "pod", "p", "-n", namespace)
    wait_until("the claim is given back", lambda: driver.prepared == [])


def test_a_pod_shows_that_the_device_of_its_claim_is_ill(
    real_kubelet: Cluster, namespace: str, driver: devices.Driver, performer_image: str
) -> None:
    cluster = real_kubelet
    driver.offer(GPU_0)
    wait_until("the slice is there", lambda: devices.published(cluster) == [GPU_0])
    # 1.34 finds the devices of claims only that have the name which the pod has for them.
    claims = [{"name": "gpu", "resourceClaimName": "gpu"}]
    wanted = {"claims": [{"name": "gpu"}]}
    own = pod("p", performer_image, resources=wanted, resourceClaims=claims)
    create(cluster, namespace, claim_of("gpu"), own)
    wait_running(cluster, namespace, "p")
    device = f"{devices.DRIVER}/{cluster.real_node}/gpu-0"
    # Before 1.36 there are no messages about devices.
    text = "fell off the bus" if minor(cluster) >= 36 else ""
    for state, said in (("Healthy", ""), ("Unhealthy", text), ("Healthy", "")):
        driver.report("gpu-0", state, "fell off the bus" if state == "Unhealthy" else "")
        wait_health(cluster, namespace, [("claim:gpu", device, state, said)])


def no_node_has_one(cluster: Cluster) -> str:
    """What the scheduler says; earlier tests may have left nodes of KWOK."""
    count = len(cluster.get("nodes")["items"])
    return f"0/{count} nodes are available: {count} cannot allocate all claims"


def test_what_is_said_when_no_device_is_to_be_had(
    real_kubelet: Cluster, namespace: str, driver: devices.Driver, performer_image: str
) -> None:
    cluster = real_kubelet
    driver.offer(GPU_0)
    wait_until("the slice is there", lambda: devices.published(cluster) == [GPU_0])
    h100 = f'device.attributes["{devices.DRIVER}"].product == "NVIDIA H100"'
    create(
        cluster,
        namespace,
        template("any"),
        template("h100", h100),
        claiming("wrong-product", performer_image, "h100"),
        claiming("first", performer_image, "any"),
    )
    nothing = no_node_has_one(cluster)
    assert refusal(cluster, namespace, "wrong-product") == nothing
    wait_running(cluster, namespace, "first")
    create(cluster, namespace, claiming("second", performer_image, "any"))
    assert refusal(cluster, namespace, "second") == nothing
    cluster.kubectl("delete", "pod", "first", "-n", namespace)
    wait_running(cluster, namespace, "second")


def test_a_tainted_device_is_for_nobody_and_a_taint_ends_who_has_it(
    real_kubelet: Cluster,
    namespace: str,
    driver: devices.Driver,
    performer_image: str,
    cluster_report: ClusterReport,
) -> None:
    cluster = real_kubelet
    if minor(cluster) < 36:
        why = "device taints are on by default since 1.36"
        cluster_report.add(f"1 test of devices is for newer versions: {why}")
        pytest.skip(f"{why}; this is {cluster.version}")
    taint = {"key": "example.com/ill", "value": "yes", "effect": "NoSchedule"}
    driver.offer({**GPU_0, "taints": [taint]})
    wait_until("the slice is there", lambda: len(devices.published(cluster)) == 1)
    create(cluster, namespace, template("any"), claiming("p", performer_image, "any"))
    nothing = no_node_has_one(cluster)
    assert refusal(cluster, namespace, "p") == nothing
    driver.offer(GPU_0)
    wait_running(cluster, namespace, "p")
    driver.offer({**GPU_0, "taints": [{**taint, "effect": "NoExecute"}]})
    wait_until("it is gone", lambda: cluster.get("pods", "-n", namespace)["items"] == [])
