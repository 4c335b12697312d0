"""A cluster without some of its parts, whose place others take."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.cluster import Cluster, LeftOutError

KUBELET, SCHEDULER, CONTROLLERS = "kubelet", "scheduler", "controllers"
LEASE = "leases", "kube-node-lease", "node-1"


def made(*without: str) -> Cluster:
    cluster = Cluster(without=without)
    cluster.fill_namespaces()
    cluster.add_node("node-1")
    return cluster


def add_pod(cluster: Cluster, **spec: Any) -> None:
    body = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i"}], **spec},
    }
    cluster.api.create("pods", body, namespace="default")


def pod(cluster: Cluster) -> tuple[str, str]:
    """Node and phase."""
    found = cluster.api.get("pods", "default", "p")
    return found["spec"].get("nodeName", ""), found["status"]["phase"]


def ready(cluster: Cluster) -> str:
    conditions: list[JSON] = cluster.api.get("nodes", "", "node-1")["status"]["conditions"]
    [found] = [each["status"] for each in conditions if each["type"] == "Ready"]
    return str(found)


def missing(cluster: Cluster, resource: str, namespace: str, name: str) -> bool:
    try:
        cluster.api.get(resource, namespace, name)
    except APIError as error:
        return error.code == 404
    return False


@pytest.mark.parametrize(
    ("without", "becomes"),
    [
        pytest.param((), ("node-1", "Running"), id="with everything it runs"),
        pytest.param((SCHEDULER,), ("", "Pending"), id="without a scheduler it gets no node"),
        pytest.param((KUBELET,), ("node-1", "Pending"), id="without kubelets it is bound, no more"),
        pytest.param((CONTROLLERS,), ("node-1", "Running"), id="controllers are not needed for it"),
    ],
)
def test_a_pod(without: tuple[str, ...], becomes: tuple[str, str]) -> None:
    cluster = made(*without)
    cluster.run_until(1)
    if CONTROLLERS in without:
        cluster.api.create(
            "serviceaccounts", {"metadata": {"name": "default"}}, namespace="default"
        )
    add_pod(cluster)
    cluster.run_until(600)
    assert pod(cluster) == becomes


def test_without_controllers_nobody_does_what_controllers_do() -> None:
    cluster = made(CONTROLLERS)
    api = cluster.api
    api.create("namespaces", {"metadata": {"name": "n"}})
    owner = api.create("configmaps", {"metadata": {"name": "owner"}}, namespace="default")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner"}
    owned = {"name": "owned", "ownerReferences": [{**reference, "uid": owner["metadata"]["uid"]}]}
    api.create("configmaps", {"metadata": owned}, namespace="default")
    api.delete("configmaps", "default", "owner")
    api.delete("namespaces", "", "n")
    cluster.kubelets.stop("node-1")
    cluster.run_until(600)
    assert not missing(cluster, "configmaps", "default", "owned")
    assert missing(cluster, "serviceaccounts", "default", "default")
    assert api.get("namespaces", "", "n")["status"] == {"phase": "Terminating"}
    assert ready(cluster) == "True"


def test_leases_are_renewed_when_they_are_read() -> None:
    cluster = made()
    written: list[str] = []
    cluster.api.auditors.append(lambda audit: written.append(audit.call.resource))
    cluster.run_until(35)
    assert "leases" not in written
    assert [lease["spec"]["renewTime"] for lease in cluster.api.list("leases").items] == [
        "2026-01-01T00:00:30.000000Z"
    ]


def test_leases_are_renewed_while_they_are_watched() -> None:
    cluster = made()
    seen: list[str] = []
    watch = cluster.api.watch(
        "leases", sink=lambda event: seen.append(event.object["spec"]["renewTime"][17:19])
    )
    cluster.run_until(35)
    watch.stop()
    cluster.run_until(100)
    assert seen == ["00", "10", "20", "30"]


def test_without_controllers_kubelets_renew_leases_for_those_of_others() -> None:
    cluster = made(CONTROLLERS)
    cluster.run_until(15)
    lease = cluster.api.get(*LEASE)
    assert lease["spec"] == {
        "holderIdentity": "node-1",
        "leaseDurationSeconds": 40,
        "renewTime": "2026-01-01T00:00:10.000000Z",
    }
    cluster.run_until(25)
    assert cluster.api.get(*LEASE)["spec"]["renewTime"] == "2026-01-01T00:00:20.000000Z"
    cluster.kubelets.stop("node-1")
    cluster.run_until(100)
    assert cluster.api.get(*LEASE)["spec"]["renewTime"] == "2026-01-01T00:00:20.000000Z"


def test_without_kubelets_a_node_is_lost_when_its_lease_is_renewed_no_more() -> None:
    cluster = made(KUBELET)
    cluster.add_node("node-2")
    add_pod(cluster, nodeName="node-1")
    cluster.run_until(600)
    assert ready(cluster) == "True"
    lease = {"metadata": {"name": "node-1"}, "spec": {"holderIdentity": "node-1"}}
    cluster.api.create("leases", lease, namespace="kube-node-lease")
    cluster.run_until(640)
    renewed = {"spec": {"renewTime": "2026-01-01T00:10:40.000000Z"}}
    cluster.api.patch(*LEASE, renewed)
    cluster.run_until(689)
    assert ready(cluster) == "True"
    cluster.run_until(696)
    assert ready(cluster) == "Unknown"
    cluster.run_until(1100)
    assert "deletionTimestamp" in cluster.api.get("pods", "default", "p")["metadata"]


def test_without_kubelets_nothing_can_be_asked_of_them() -> None:
    cluster = made(KUBELET)
    with pytest.raises(LeftOutError, match="the simulated cluster runs without kubelets"):
        cluster.kubelets.stop("node-1")
    cluster.remove_node("node-1")
    assert missing(cluster, "nodes", "", "node-1")
