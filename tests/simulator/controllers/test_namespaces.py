"""A namespace that is deleted: all that is in it goes first. And what every namespace has."""

from typing import Any

import pytest

from hourglass_simulator.apiserver import APIError
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.controllers.namespaces import Left, conditions

FINALIZER = "example.com/hold"


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster()
    cluster.api.create("namespaces", {"metadata": {"name": "n"}})
    return cluster


def config_map(cluster: Cluster, name: str, *finalizers: str) -> None:
    meta = {"name": name, "finalizers": list(finalizers)}
    cluster.api.create("configmaps", {"metadata": meta}, namespace="n")


def delete(cluster: Cluster) -> None:
    cluster.api.delete("namespaces", "", "n")


def exists(cluster: Cluster) -> bool:
    return any(each["metadata"]["name"] == "n" for each in cluster.api.list("namespaces").items)


def reported(cluster: Cluster) -> dict[str, Any]:
    found = cluster.api.get("namespaces", "", "n")["status"]["conditions"]
    return {each["type"]: each["message"] for each in found if each["status"] == "True"}


def test_an_empty_namespace_goes(cluster: Cluster) -> None:
    delete(cluster)
    cluster.run_until(10)
    assert not exists(cluster)


def test_what_is_in_it_goes_with_it_and_nothing_else(cluster: Cluster) -> None:
    config_map(cluster, "a")
    labels = {"app": "a"}
    deployment = {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "a", "image": "a"}]},
        },
    }
    cluster.api.create(
        "deployments", {"metadata": {"name": "a"}, "spec": deployment}, namespace="n"
    )
    cluster.api.create("configmaps", {"metadata": {"name": "a"}}, namespace="default")
    delete(cluster)
    cluster.run_until(10)
    assert not exists(cluster)
    assert not cluster.api.list("deployments").items
    assert [m["metadata"]["namespace"] for m in cluster.api.list("configmaps").items] == ["default"]


def test_what_holds_it_is_in_its_conditions(cluster: Cluster) -> None:
    config_map(cluster, "a", FINALIZER)
    config_map(cluster, "b", FINALIZER)
    delete(cluster)
    cluster.run_until(60)
    assert reported(cluster) == {
        "NamespaceContentRemaining": (
            "Some resources are remaining: configmaps. has 2 resource instances"
        ),
        "NamespaceFinalizersRemaining": (
            "Some content in the namespace has finalizers remaining: "
            "example.com/hold in 2 resource instances"
        ),
    }
    for name in "ab":
        cluster.api.patch("configmaps", "n", name, {"metadata": {"finalizers": None}})
    cluster.run_until(80)
    assert not exists(cluster)


def test_pods_go_first_and_have_their_grace_period(cluster: Cluster) -> None:
    cluster.add_node("node")
    cluster.images.push("*")
    spec = {"containers": [{"name": "a", "image": "a"}], "terminationGracePeriodSeconds": 20}
    cluster.api.create("pods", {"metadata": {"name": "a"}, "spec": spec}, namespace="n")
    config_map(cluster, "a")
    cluster.run_until(30)
    delete(cluster)
    cluster.run_until(36)
    assert cluster.api.list("configmaps", "n").items
    cluster.run_until(90)
    assert not exists(cluster)


def test_nothing_is_created_while_it_goes(cluster: Cluster) -> None:
    config_map(cluster, "a", FINALIZER)
    delete(cluster)
    with pytest.raises(APIError) as refused:
        config_map(cluster, "b")
    assert refused.value.message == (
        'configmaps "b" is forbidden: unable to create new content in namespace n because it is '
        "being terminated"
    )


@pytest.mark.parametrize("name", ["default", "kube-public", "kube-system"])
def test_namespaces_that_may_not_be_deleted(cluster: Cluster, name: str) -> None:
    with pytest.raises(APIError, match=f'"{name}" is forbidden: this namespace may not be deleted'):
        cluster.api.delete("namespaces", "", name)


def test_times_of_conditions_that_stay_are_kept() -> None:
    first = conditions(Left({"pods.": 1}, {}), [], "then")
    again = conditions(Left({"pods.": 2}, {}), first, "now")
    assert {each["lastTransitionTime"] for each in again} == {"then"}
    after = conditions(Left({}, {}), again, "now")
    assert {each["type"] for each in after if each["lastTransitionTime"] == "now"} == {
        "NamespaceContentRemaining"
    }


def contents(cluster: Cluster, namespace: str) -> list[str]:
    return [
        obj["metadata"]["name"]
        for resource in ("serviceaccounts", "configmaps")
        for obj in cluster.api.list(resource, namespace).items
    ]


@pytest.mark.parametrize("namespace", ["default", "n", "late"])
def test_every_namespace_has_an_account_and_a_certificate(cluster: Cluster, namespace: str) -> None:
    cluster.fill_namespaces()
    cluster.api.create("namespaces", {"metadata": {"name": "late"}})
    cluster.run_until(1)
    assert contents(cluster, namespace) == ["default", "kube-root-ca.crt"]


def test_they_come_again_when_they_are_deleted(cluster: Cluster) -> None:
    cluster.fill_namespaces()
    cluster.run_until(1)
    cluster.api.delete("configmaps", "n", "kube-root-ca.crt")
    cluster.run_until(2)
    assert contents(cluster, "n") == ["default", "kube-root-ca.crt"]


def test_they_do_not_hold_a_namespace_that_goes(cluster: Cluster) -> None:
    cluster.fill_namespaces()
    cluster.run_until(1)
    delete(cluster)
    cluster.run_until(20)
    assert not exists(cluster)
    assert not contents(cluster, "n")


def test_clusters_are_without_unless_they_are_asked_for(cluster: Cluster) -> None:
    cluster.run_until(1)
    assert not contents(cluster, "n")
