"""Mutating admission webhooks: which writes they change, and how."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.apiserver.webhooks import MutatingWebhook
from hourglass_simulator.apiserver.write import CREATE, UPDATE
from hourglass_simulator.clock import Clock

SIDECAR = {"name": "istio-proxy", "image": "istio/proxyv2"}
MANAGED = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "platform"}}}


@pytest.fixture
def api() -> APIServer:
    return APIServer(Clock())


def register(api: APIServer, resource: str, patch: Any, *on: str, name: str = "*") -> None:
    operations = frozenset(on or (CREATE, UPDATE))
    api.webhooks.append(MutatingWebhook(resource, operations, name, patch))


def pod(api: APIServer, name: str = "web") -> JSON:
    spec = {"containers": [{"name": "app", "image": "app:v1"}]}
    return api.create("pods", {"metadata": {"name": name}, "spec": spec}, namespace="default")


def service(api: APIServer) -> JSON:
    spec = {"ports": [{"name": "grpc", "port": 9090}]}
    return api.create("services", {"metadata": {"name": "web"}, "spec": spec}, namespace="default")


def names(obj: JSON) -> list[str]:
    return [container["name"] for container in obj["spec"]["containers"]]


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ([{"op": "add", "path": "/spec/containers/-", "value": SIDECAR}], ["app", "istio-proxy"]),
        ({"spec": {"containers": [SIDECAR]}}, ["istio-proxy", "app"]),
    ],
    ids=["by a JSON patch, last", "by a strategic merge patch, first"],
)
def test_a_sidecar_is_injected_with_all_that_a_pod_has(
    api: APIServer, patch: Any, expected: list[str]
) -> None:
    register(api, "pods", patch, CREATE)
    created = pod(api)
    assert names(created) == expected
    for container in created["spec"]["containers"]:
        (mount,) = container["volumeMounts"]
        assert mount["name"] == created["spec"]["volumes"][0]["name"]
        assert container["imagePullPolicy"] in ("Always", "IfNotPresent")
    assert len(created["spec"]["volumes"]) == 1


def test_a_gate_holds_back_the_scheduling_of_a_new_pod(api: APIServer) -> None:
    register(api, "pods", {"spec": {"schedulingGates": [{"name": "queue"}]}}, CREATE)
    (condition,) = pod(api)["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "SchedulingGated")


def test_every_write_is_changed_but_for_subresources(api: APIServer) -> None:
    pod(api)
    register(api, "pods", MANAGED)
    api.patch("pods", "default", "web", {"status": {"phase": "Running"}}, subresource="status")
    api.set_status("pods", "default", "web", {"phase": "Failed"})
    assert "labels" not in api.get("pods", "default", "web")["metadata"]
    changed = api.patch("pods", "default", "web", {"metadata": {"labels": {"a": "b"}}})
    assert changed["metadata"]["labels"] == {"a": "b", **MANAGED["metadata"]["labels"]}
    undone = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}}
    assert api.patch("pods", "default", "web", undone) == changed


def test_a_write_that_the_webhook_has_undone_stores_nothing(api: APIServer) -> None:
    register(api, "services", {"spec": {"ports": [{"port": 9090, "appProtocol": "grpc"}]}})
    created = service(api)
    assert created["spec"]["ports"][0]["appProtocol"] == "grpc"
    plain = {"spec": {"ports": [{"name": "grpc", "port": 9090, "protocol": "TCP"}]}}
    assert api.patch("services", "default", "web", plain)["spec"] == created["spec"]


@pytest.mark.parametrize(
    ("resource", "on", "name"),
    [("services", CREATE, "*"), ("pods", UPDATE, "*"), ("pods", CREATE, "performer-*")],
    ids=["of another resource", "of another operation", "of another name"],
)
def test_writes_that_are_not_named_stay_as_they_are(
    api: APIServer, resource: str, on: str, name: str
) -> None:
    register(api, resource, MANAGED, on, name=name)
    assert "labels" not in pod(api)["metadata"]


def test_a_patch_that_does_not_apply_fails_the_write(api: APIServer) -> None:
    register(api, "pods", [{"op": "remove", "path": "/metadata/labels/none"}])
    with pytest.raises(APIError) as caught:
        pod(api)
    assert caught.value.code == 500
    assert api.list("pods").items == []


def test_webhooks_are_called_one_after_the_other(api: APIServer) -> None:
    register(api, "pods", MANAGED)
    later = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "later"}}}
    register(api, "pods", later)
    assert pod(api)["metadata"]["labels"] == later["metadata"]["labels"]
