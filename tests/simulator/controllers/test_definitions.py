"""A CustomResourceDefinition that is deleted: its objects go first, and their finalizers count."""

from typing import Any

import pytest

from builders import performer
from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver import APIError, Call
from hourglass_simulator.cluster import Cluster

DEFINITIONS, NAME = "customresourcedefinitions", "performers.hourglass.eigenlayer.io"


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(crd=generate())


def create(cluster: Cluster, name: str, *finalizers: str) -> None:
    made = performer(name).build()
    body: dict[str, Any] = {key: made[key] for key in ("apiVersion", "kind", "spec")}
    body["metadata"] = {"name": name, "finalizers": list(finalizers)}
    cluster.api.create("performers", body, namespace="default")


def exists(cluster: Cluster) -> bool:
    return bool(cluster.api.list(DEFINITIONS).items)


def test_without_finalizers_the_objects_and_the_definition_go_at_once(cluster: Cluster) -> None:
    create(cluster, "ml")
    reported: list[str] = []
    cluster.api.watch("performers", sink=lambda event: reported.append(event.type))
    cluster.api.delete(DEFINITIONS, "", NAME)
    cluster.run_until(1)
    assert reported == ["ADDED", "DELETED"]
    assert not exists(cluster)
    with pytest.raises(APIError, match="could not find the requested resource"):
        cluster.api.list("performers")


def test_the_finalizer_of_an_object_holds_the_definition(cluster: Cluster) -> None:
    create(cluster, "ml", "example.com/hold")
    cluster.api.delete(DEFINITIONS, "", NAME)
    # To delete it again does not make it faster.
    cluster.api.delete(DEFINITIONS, "", NAME)
    cluster.run_until(300)
    definition = cluster.api.get(DEFINITIONS, "", NAME)
    assert definition["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    conditions = definition["status"]["conditions"]
    assert [c["type"] for c in conditions] == ["NamesAccepted", "Established", "Terminating"]
    held = cluster.api.get("performers", "default", "ml")
    assert "deletionTimestamp" in held["metadata"]

    cluster.api.patch("performers", "default", "ml", {"metadata": {"finalizers": None}})
    cluster.run_until(310)
    assert not exists(cluster)


def test_nothing_is_created_while_the_definition_goes(cluster: Cluster) -> None:
    create(cluster, "ml", "example.com/hold")
    cluster.api.delete(DEFINITIONS, "", NAME)
    with pytest.raises(APIError) as refused:
        create(cluster, "later")
    assert refused.value.code == 403
    assert str(refused.value) == (
        f'{NAME} "later" is forbidden: create not allowed while custom resource definition is'
        " terminating"
    )


def test_a_deletion_that_is_refused_is_repeated(cluster: Cluster) -> None:
    refused: list[str] = []

    class Refuse:
        def before(self, call: Call) -> None:
            if (call.verb, call.resource) == ("delete", "performers") and not refused:
                refused.append(call.name)
                raise APIError(500, "InternalError", "etcd is away")

        def after(self, call: Call) -> None:
            pass

    create(cluster, "ml")
    cluster.api.interceptors.append(Refuse())
    cluster.api.delete(DEFINITIONS, "", NAME)
    cluster.run_until(10)
    assert refused == ["ml"]
    assert not exists(cluster)
