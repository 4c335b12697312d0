"""Dependents follow their owners, in each of the three ways."""

from typing import Any

import pytest

from builders import performer
from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.cluster import Cluster


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def configmap(cluster: Cluster, name: str, *owners: JSON, **fields: Any) -> JSON:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": True,
        }
        for owner in owners
    ]
    body = {"metadata": {"name": name, "ownerReferences": references, **fields}}
    return cluster.api.create("configmaps", body, namespace="default")


def names(cluster: Cluster) -> list[str]:
    return [o["metadata"]["name"] for o in cluster.api.list("configmaps", "default").items]


def test_background_deletion_takes_dependents_and_their_dependents(cluster: Cluster) -> None:
    owner = configmap(cluster, "owner")
    configmap(cluster, "grandchild", configmap(cluster, "child", owner))
    cluster.api.delete("configmaps", "default", "owner")
    assert names(cluster) == ["child", "grandchild"]
    cluster.run_until(1)
    assert names(cluster) == []


def test_orphans_stay_without_the_reference(cluster: Cluster) -> None:
    configmap(cluster, "child", configmap(cluster, "owner"))
    cluster.api.delete("configmaps", "default", "owner", propagation_policy="Orphan")
    cluster.run_until(1)
    assert names(cluster) == ["child"]
    assert not cluster.api.get("configmaps", "default", "child")["metadata"].get("ownerReferences")


def test_foreground_deletion_waits_for_the_dependents(cluster: Cluster) -> None:
    configmap(cluster, "child", configmap(cluster, "owner"), finalizers=["example.com/hold"])
    cluster.api.delete("configmaps", "default", "owner", propagation_policy="Foreground")
    cluster.run_until(1)
    assert names(cluster) == ["child", "owner"]
    release = {"metadata": {"finalizers": None}}
    cluster.api.patch("configmaps", "default", "child", release)
    cluster.run_until(2)
    assert names(cluster) == []


def test_one_owner_that_is_left_keeps_a_dependent(cluster: Cluster) -> None:
    first, second = configmap(cluster, "first"), configmap(cluster, "second")
    configmap(cluster, "child", first, second)
    cluster.api.delete("configmaps", "default", "first")
    cluster.run_until(1)
    [reference] = cluster.api.get("configmaps", "default", "child")["metadata"]["ownerReferences"]
    assert reference["name"] == "second"


def test_an_owner_of_the_same_name_with_another_uid_is_no_owner(cluster: Cluster) -> None:
    owner = configmap(cluster, "owner")
    cluster.api.delete("configmaps", "default", "owner")
    configmap(cluster, "owner")
    configmap(cluster, "child", owner)
    cluster.run_until(1)
    assert names(cluster) == ["owner"]


def test_a_refused_deletion_is_repeated(cluster: Cluster) -> None:
    refused: list[str] = []

    class Refuse:
        def before(self, call: Any) -> None:
            if call.verb == "delete" and call.name == "child" and not refused:
                refused.append(call.name)
                raise APIError(500, "InternalError", "etcd is away")

        def after(self, call: Any) -> None:
            pass

    configmap(cluster, "child", configmap(cluster, "owner"))
    cluster.api.interceptors.append(Refuse())
    cluster.api.delete("configmaps", "default", "owner")
    cluster.run_until(3)
    assert refused == ["child"]
    assert names(cluster) == []


def test_objects_go_with_their_definition_and_take_their_dependents_along() -> None:
    cluster = Cluster(crd=generate())
    made = performer("ml").build()
    performers = {key: made[key] for key in ("apiVersion", "kind", "spec")}
    for name in ("before", "after"):
        body = {**performers, "metadata": {"name": name}}
        owner = cluster.api.create("performers", body, namespace="default")
        configmap(cluster, f"child-{name}", owner)
        cluster.run_until(cluster.clock.now + 1)
        assert names(cluster) == [f"child-{name}"]
        definition = generate()["metadata"]["name"]
        cluster.api.delete("customresourcedefinitions", "", definition)
        cluster.run_until(cluster.clock.now + 1)
        assert names(cluster) == []
        # Under the definition that comes back it is the same again.
        cluster.api.create("customresourcedefinitions", generate())
        assert cluster.api.list("performers").items == []
