"""kopf and the Python client on objects of definitions of one's own."""

import json
from typing import Any

import kopf
import pytest
from kopf.testing import KopfRunner
from kubernetes import client, config

from hourglass_kube.types import JSON
from hourglass_simulator.testing import ServedCluster

GROUP, VERSION, PLURAL = WIDGETS = ("example.com", "v1", "widgets")
WIDGET: JSON = {
    "apiVersion": f"{GROUP}/{VERSION}",
    "kind": "Widget",
    "metadata": {"name": "one"},
    "spec": {"size": 1},
}
FREE: JSON = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
CLOSED: JSON = {"type": "object", "properties": {"known": {"type": "integer"}}}
FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"
LAST_HANDLED = "kopf.zalando.org/last-handled-configuration"
NESTED: JSON = {"known": 1, "list": [{"a": 1}, {"b": [None, "x"]}], "of": {"more": {"depth": 1.5}}}


def definition(status: JSON) -> JSON:
    spec = {"type": "object", "properties": {"size": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"spec": spec, "status": status}}
    version = {"name": VERSION, "served": True, "storage": True, "subresources": {"status": {}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": PLURAL},
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def running(registry: kopf.OperatorRegistry) -> KopfRunner:
    return KopfRunner(["run", "--standalone", "--all-namespaces"], registry=registry)


@pytest.fixture
def registry() -> kopf.OperatorRegistry:
    return type(kopf.get_default_registry())()


def widget(cluster: ServedCluster) -> JSON:
    return cluster.get("Widget", "one")


@pytest.mark.parametrize(
    ("status", "kept"),
    [(FREE, NESTED), (CLOSED, {"known": 1})],
    ids=["all of it where unknown fields are preserved", "what the schema knows elsewhere"],
)
def test_the_python_client_finds_of_a_status(
    served_cluster: ServedCluster, status: JSON, kept: JSON
) -> None:
    served_cluster.apply(definition(status))
    config.load_kube_config()
    api: Any = client.CustomObjectsApi()
    strange = {**WIDGET, "spec": {"size": 1, "unknown": 2}}
    created = api.create_namespaced_custom_object(GROUP, VERSION, "default", PLURAL, strange)
    assert created["spec"] == {"size": 1}
    one = (GROUP, VERSION, "default", PLURAL, "one")
    patched = api.patch_namespaced_custom_object_status(*one, {"status": NESTED})
    assert patched["status"] == kept
    # Without the subresource, a status is not written.
    api.patch_namespaced_custom_object(*one, {"status": {"known": 2}, "spec": {"size": 2}})
    found = api.get_namespaced_custom_object(*one)
    assert (found["spec"], found["status"]) == ({"size": 2}, kept)
    replaced = api.replace_namespaced_custom_object_status(*one, {**found, "status": {"known": 3}})
    assert replaced["status"] == {"known": 3}
    with pytest.raises(client.ApiException) as refused:
        api.replace_namespaced_custom_object_status(*one, found)
    assert (refused.value.status, json.loads(refused.value.body or "")["reason"]) == (
        409,
        "Conflict",
    )


def test_kopf_keeps_progress_results_and_finalizers(
    served_cluster: ServedCluster, registry: kopf.OperatorRegistry
) -> None:
    served_cluster.apply(definition(FREE))
    seen: list[Any] = []

    @kopf.on.create(*WIDGETS, id="make", registry=registry)
    def make(retry: int, **_: Any) -> JSON:
        seen.append(widget(served_cluster)["metadata"].get("annotations"))
        if retry < 2:
            raise kopf.TemporaryError("not yet", delay=0.01)
        return NESTED

    @kopf.on.delete(*WIDGETS, registry=registry)
    def unmake(**_: Any) -> None:
        seen.append(widget(served_cluster)["metadata"])

    with running(registry):
        served_cluster.apply(WIDGET)
        found = served_cluster.wait_until(
            lambda: widget(served_cluster)["status"] and widget(served_cluster)
        )
        assert found["status"] == {"make": NESTED}
        assert found["metadata"]["finalizers"] == [FINALIZER]
        assert json.loads(found["metadata"]["annotations"][LAST_HANDLED]) == {"spec": {"size": 1}}
        served_cluster.delete("Widget", "one")
        served_cluster.assert_gone("Widget", "one")
    retries = [json.loads(kept["kopf.zalando.org/make"])["retries"] for kept in seen[1:3]]
    assert retries == [1, 2]
    assert seen[3]["finalizers"] == [FINALIZER]
    assert "deletionTimestamp" in seen[3]


@pytest.mark.parametrize(
    ("status", "stored"),
    [(FREE, True), (CLOSED, False)],
    ids=["where unknown fields are preserved", "nowhere else"],
)
def test_kopf_keeps_progress_in_the_status(
    served_cluster: ServedCluster, registry: kopf.OperatorRegistry, status: JSON, stored: bool
) -> None:
    served_cluster.apply(definition(status))
    seen: list[bool] = []

    @kopf.on.startup(registry=registry)
    def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.persistence.progress_storage = kopf.StatusProgressStorage()

    @kopf.on.create(*WIDGETS, registry=registry)
    def make(**_: Any) -> None:
        seen.append("kopf" in (widget(served_cluster).get("status") or {}))
        if len(seen) < 2:
            raise kopf.TemporaryError("not yet", delay=0.01)

    with running(registry):
        served_cluster.apply(WIDGET)
        served_cluster.wait_until(lambda: len(seen) == 2)
    assert seen == [False, stored]
