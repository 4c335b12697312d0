"""The simulated API server stores a Performer's pod and Service as the real one does."""

import json
from typing import Any

import pytest
from ruamel.yaml import YAML

from goldens.record_resources import EXAMPLES, HERE, NAMES, built, comparable
from hourglass_simulator.apiserver.server import APIServer
from hourglass_simulator.clock import Clock

PREREQUISITES = {
    "Namespace": "namespaces",
    "Secret": "secrets",
    "ConfigMap": "configmaps",
    "PriorityClass": "priorityclasses",
    "RuntimeClass": "runtimeclasses",
}


@pytest.fixture(scope="module")
def server() -> APIServer:
    api = APIServer(Clock())
    for obj in YAML(typ="safe").load_all(EXAMPLES / "prerequisites.yaml"):
        namespace = obj["metadata"].get("namespace", "")
        api.create(PREREQUISITES[obj["kind"]], obj, namespace=namespace)
    account = {"metadata": {"name": "performer"}}
    api.create("serviceaccounts", account, namespace="production")
    return api


@pytest.mark.parametrize("name", NAMES)
def test_pod_and_service_are_stored_as_recorded(server: APIServer, name: str) -> None:
    recorded = json.loads((HERE / f"{name}.golden.json").read_text())
    pod, service = built(name)
    assert stored(server, "pods", pod) == recorded["pod"]
    assert stored(server, "services", service) == recorded["service"]


def stored(server: APIServer, resource: str, obj: dict[str, Any]) -> dict[str, Any]:
    created = server.create(resource, obj, namespace=obj["metadata"]["namespace"])
    result: dict[str, Any] = comparable(created)
    # The recording is a dry run, which gives no version.
    del result["metadata"]["resourceVersion"]
    return result
