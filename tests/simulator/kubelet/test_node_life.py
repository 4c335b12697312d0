"""Nodes that are booted, shut down and taken out of service, and what becomes of their pods."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet import Workload
from hourglass_simulator.kubernetes.version import NEWEST, version

APP = {"name": "app", "image": "app:1"}
INIT = {"name": "init", "image": "init:1"}


def cluster_with(kubernetes: str = "1.34", **spec: object) -> Cluster:
    """A node on which a pod of this spec runs."""
    cluster = Cluster(version=version(kubernetes))
    cluster.add_node("node-1", devices={"nvidia.com/gpu": 2})
    create(cluster, "p", **spec)
    cluster.run_until(10)
    return cluster


def create(cluster: Cluster, name: str, **spec: object) -> None:
    pod = {"metadata": {"name": name}, "spec": {"containers": [APP], "nodeName": "node-1", **spec}}
    cluster.api.create("pods", pod, namespace="default")


def status(cluster: Cluster, name: str = "p") -> JSON:
    found: JSON = cluster.api.get("pods", "default", name)["status"]
    return found


def reasons(cluster: Cluster) -> list[str]:
    return [event["reason"] for event in cluster.api.list("events").items]


def test_containers_start_again_in_a_new_sandbox_after_a_reboot() -> None:
    cluster = cluster_with(initContainers=[INIT])
    before = status(cluster)["podIP"]
    cluster.kubelets.crash("node-1")
    cluster.run_until(70)
    cluster.kubelets.boot("node-1")
    cluster.run_until(90)
    found = status(cluster)
    (container,), (init,) = found["containerStatuses"], found["initContainerStatuses"]
    ended = container["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (255, "Unknown")
    assert (container["restartCount"], init["restartCount"]) == (1, 1)
    assert found["phase"] == "Running"
    assert found["podIP"] != before
    assert {"Rebooted", "SandboxChanged"} <= set(reasons(cluster))


def test_a_pod_that_never_restarts_has_failed_after_a_reboot() -> None:
    cluster = cluster_with(restartPolicy="Never")
    cluster.kubelets.crash("node-1")
    cluster.run_until(40)
    cluster.kubelets.boot("node-1")
    cluster.run_until(60)
    assert status(cluster)["phase"] == "Failed"
    assert "SandboxChanged" not in reasons(cluster)


def test_a_node_that_is_shut_down_ends_its_pods_and_takes_none() -> None:
    cluster = Cluster()
    cluster.images.behave("app:1", Workload(stop_code=143))
    cluster.add_node("node-1")
    create(cluster, "p")
    cluster.run_until(10)
    cluster.kubelets.shut_down("node-1", 30.0)
    create(cluster, "late")
    cluster.run_until(20)
    assert (status(cluster)["phase"], status(cluster)["reason"]) == ("Failed", "Terminated")
    assert status(cluster)["message"] == (
        "Pod was terminated in response to imminent node shutdown."
    )
    assert {c["type"]: c["reason"] for c in status(cluster)["conditions"] if "reason" in c}[
        "DisruptionTarget"
    ] == "TerminationByKubelet"
    assert status(cluster, "late")["reason"] == "NodeShutdown"
    conditions = cluster.api.get("nodes", "", "node-1")["status"]["conditions"]
    (ready,) = [c for c in conditions if c["type"] == "Ready"]
    assert (ready["status"], ready["message"]) == ("False", "node is shutting down")


@pytest.mark.parametrize("out_of_service", [True, False], ids=["out of service", "only lost"])
def test_deleted_pods_of_a_lost_node_are_removed_if_it_is(out_of_service: bool) -> None:
    cluster = cluster_with()
    cluster.kubelets.stop("node-1")
    cluster.run_until(100)
    if out_of_service:
        taint = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
        taints = cluster.api.get("nodes", "", "node-1")["spec"].get("taints") or []
        cluster.api.patch("nodes", "", "node-1", {"spec": {"taints": [*taints, taint]}})
    cluster.api.delete("pods", "default", "p")
    cluster.run_until(145)
    assert bool(cluster.api.list("pods").items) is not out_of_service


def test_the_health_of_devices_is_in_the_status_of_the_pod_that_has_them() -> None:
    limits = {"limits": {"nvidia.com/gpu": "1"}}
    cluster = cluster_with(NEWEST, containers=[{**APP, "resources": limits}])
    (container,) = status(cluster)["containerStatuses"]
    assert container["allocatedResourcesStatus"] == [
        {"name": "nvidia.com/gpu", "resources": [{"resourceID": "d0", "health": "Healthy"}]}
    ]


def test_a_port_of_the_node_is_given_once() -> None:
    ports = [{"containerPort": 80, "hostPort": 8080}]
    cluster = cluster_with(containers=[{**APP, "ports": ports}])
    create(cluster, "second", containers=[{**APP, "ports": ports}])
    cluster.run_until(20)
    assert status(cluster, "second")["reason"] == "NodePorts"
    cluster.api.delete("pods", "default", "p")
    cluster.run_until(40)
    create(cluster, "third", containers=[{**APP, "ports": ports}])
    cluster.run_until(60)
    assert status(cluster, "third")["phase"] == "Running"
