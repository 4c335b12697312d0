"""EndpointSlices and Endpoints, compared with what a real 1.34 cluster showed."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet import Workload


def service(name: str = "performer-a", **spec: Any) -> JSON:
    return {
        "metadata": {"name": name, "labels": {"app": "performer", "performer-name": "a"}},
        "spec": {
            "selector": {"app": "performer", "performer-name": "a"},
            "ports": [
                {
                    "name": "grpc",
                    "port": 9090,
                    "targetPort": "grpc",
                    "appProtocol": "kubernetes.io/h2c",
                }
            ],
            **spec,
        },
    }


def pod(name: str, **labels: str) -> JSON:
    return {
        "metadata": {
            "name": name,
            "labels": {"app": "performer", "performer-name": "a", **labels},
        },
        "spec": {
            "containers": [
                {
                    "name": "performer",
                    "image": "performer:1",
                    "ports": [{"name": "grpc", "containerPort": 9090}],
                    "readinessProbe": {"tcpSocket": {"port": "grpc"}, "periodSeconds": 5},
                    "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
                }
            ]
        },
    }


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.add_node("node-1", cpu="16", zone="eu-1a")
    made.add_node("node-2", zone="eu-1b")
    made.images.behave("*", Workload(ready_after=4))
    return made


def only(cluster: Cluster, resource: str) -> JSON:
    [found] = cluster.api.list(resource, "default").items
    return found


def test_a_service_without_pods_has_one_empty_slice(cluster: Cluster) -> None:
    owner = cluster.api.create("services", service(), namespace="default")
    cluster.run_until(1)
    found = only(cluster, "endpointslices")
    assert (found["endpoints"], found["ports"]) == (None, None)
    assert found["addressType"] == "IPv4"
    assert found["metadata"]["generateName"] == "performer-a-"
    assert found["metadata"]["name"].startswith("performer-a-")
    assert found["metadata"]["labels"] == {
        "app": "performer",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "performer-a",
        "performer-name": "a",
    }
    assert found["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "name": "performer-a",
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert "subsets" not in only(cluster, "endpoints")


def test_an_endpoint_is_not_ready_then_ready_then_terminating_then_gone(cluster: Cluster) -> None:
    api = cluster.api
    api.create("services", service(), namespace="default")
    created = api.create("pods", pod("p1"), namespace="default")
    seen: list[JSON] = []
    api.watch("endpointslices", sink=lambda event: seen.append(event.object))
    cluster.run_until(20)
    api.delete("pods", "default", "p1")
    cluster.run_until(30)
    endpoints = [slice_["endpoints"] for slice_ in seen]
    conditions = [found[0]["conditions"] if found else None for found in endpoints]
    assert conditions == [
        None,
        {"ready": False, "serving": False, "terminating": False},
        {"ready": True, "serving": True, "terminating": False},
        {"ready": False, "serving": True, "terminating": True},
        None,
    ]
    assert len({slice_["metadata"]["name"] for slice_ in seen}) == 1
    endpoint = endpoints[2][0]
    assert endpoint["nodeName"] == "node-1"
    assert endpoint["zone"] == "eu-1a"
    assert endpoint["targetRef"] == {
        "kind": "Pod",
        "namespace": "default",
        "name": "p1",
        "uid": created["metadata"]["uid"],
    }
    assert seen[2]["ports"] == [
        {
            "appProtocol": "kubernetes.io/h2c",
            "name": "grpc",
            "port": 9090,
            "protocol": "TCP",
        }
    ]


def test_endpoints_carry_the_labels_of_the_service(cluster: Cluster) -> None:
    cluster.api.create("services", service(), namespace="default")
    cluster.api.create("pods", pod("p1"), namespace="default")
    cluster.run_until(4)
    [not_ready] = only(cluster, "endpoints")["subsets"]
    assert "addresses" not in not_ready
    cluster.run_until(20)
    found = only(cluster, "endpoints")
    assert found["metadata"]["labels"] == {
        "app": "performer",
        "endpoints.kubernetes.io/managed-by": "endpoint-controller",
        "performer-name": "a",
    }
    [ready] = found["subsets"]
    assert "notReadyAddresses" not in ready
    cluster.api.delete("services", "default", "performer-a")
    cluster.run_until(22)
    assert cluster.api.list("endpoints").items == []
    assert cluster.api.list("endpointslices").items == []


def test_addresses_of_pods_that_are_not_ready_can_be_published(cluster: Cluster) -> None:
    cluster.images.behave("*", Workload(ready_after=None))
    published = service(publishNotReadyAddresses=True)
    cluster.api.create("services", published, namespace="default")
    cluster.api.create("pods", pod("p1"), namespace="default")
    cluster.run_until(20)
    [endpoint] = only(cluster, "endpointslices")["endpoints"]
    assert endpoint["conditions"] == {"ready": True, "serving": False, "terminating": False}


def test_a_pod_that_changes_its_labels_leaves_the_service_and_comes_back(cluster: Cluster) -> None:
    api = cluster.api
    api.create("services", service(), namespace="default")
    api.create("pods", pod("p1"), namespace="default")
    cluster.run_until(20)
    label = {"metadata": {"labels": {"performer-name": "other"}}}
    api.patch("pods", "default", "p1", label)
    cluster.run_until(21)
    assert only(cluster, "endpointslices")["endpoints"] is None
    api.patch("pods", "default", "p1", {"metadata": {"labels": {"performer-name": "a"}}})
    cluster.run_until(22)
    assert len(only(cluster, "endpointslices")["endpoints"]) == 1


def test_a_service_that_changes_its_labels_changes_those_of_its_slice(cluster: Cluster) -> None:
    cluster.api.create("services", service(), namespace="default")
    cluster.run_until(1)
    patch = {"metadata": {"labels": {"team": "avs"}}}
    cluster.api.patch("services", "default", "performer-a", patch)
    cluster.run_until(2)
    for resource in ("endpointslices", "endpoints"):
        assert only(cluster, resource)["metadata"]["labels"]["team"] == "avs"


def test_a_slice_that_was_deleted_is_made_again(cluster: Cluster) -> None:
    cluster.api.create("services", service(), namespace="default")
    cluster.run_until(1)
    name = only(cluster, "endpointslices")["metadata"]["name"]
    cluster.api.delete("endpointslices", "default", name)
    cluster.run_until(2)
    assert only(cluster, "endpointslices")["metadata"]["name"] != name


def test_more_than_a_hundred_endpoints_fill_several_slices(cluster: Cluster) -> None:
    for number in range(3, 6):
        cluster.add_node(f"node-{number}")
    cluster.images.behave("*", Workload())
    cluster.api.create("services", service(), namespace="default")
    for number in range(150):
        cluster.api.create("pods", pod(f"p{number:03}"), namespace="default")
    cluster.run_until(30)
    found = cluster.api.list("endpointslices", "default").items
    assert sorted(len(slice_["endpoints"]) for slice_ in found) == [50, 100]
