"""What an executor in Go writes into the cluster is accepted, and reaches pod and Service.

The object is as encoding/json prints Go structs: fields without omitempty are there although they
say nothing.
"""

import pytest

from executor_world import NAMESPACE, World
from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec
from hourglass_operator.client import ChangeType, Client
from hourglass_operator.hardware.catalogue import load
from hourglass_operator.hardware.requirement import requirement
from hourglass_operator.resources.pod import build_pod, build_pod_spec
from hourglass_operator.resources.service import build_service
from hourglass_operator.resources.template import template_hash
from hourglass_simulator.apiserver import APIError

NAME = "performer-123abc-0a1b2c3d"
AVS = "0xAbCdEf7890abcdef1234567890ABCDEF12345678"
SECRET = {"secretRef": {"name": "keys", "optional": True}}
SETTINGS = {"prefix": "P_", "configMapRef": {"name": "settings", "optional": True}}
OBJECT: JSON = {
    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
    "kind": "Performer",
    "metadata": {
        "name": NAME,
        "namespace": NAMESPACE,
        "creationTimestamp": None,
        "labels": {
            "app": "hourglass-performer",
            "hourglass.eigenlayer.io/avs": AVS,
            "hourglass.eigenlayer.io/performer": NAME,
        },
    },
    "spec": {
        "avsAddress": AVS,
        "image": "avs/worker:v1",
        "imagePullPolicy": "Never",
        "version": "sha256-0a1b2c3d",
        "config": {
            "grpcPort": 8080,
            "environment": {"LOG_LEVEL": "debug", "EMPTY": ""},
            "environmentFrom": [SECRET, SETTINGS],
            "serviceAccountName": "signer",
        },
        "resources": {},
    },
    "status": {},
}


def objects(body: JSON) -> tuple[JSON, JSON]:
    """Pod and Service of it."""
    spec = PerformerSpec.model_validate(body["spec"])
    pod_spec = build_pod_spec(spec, requirement(spec, load()))
    pod = build_pod(NAME, NAMESPACE, "uid", spec.avs_address, template_hash(spec), 0, pod_spec)
    return pod, build_service(NAME, NAMESPACE, "uid", spec)


def create(world: World, body: JSON) -> JSON:
    with world.lock:
        created: JSON = world.there.cluster.api.create("performers", body, namespace=NAMESPACE)
    return created


def test_everything_reaches_the_pod() -> None:
    pod, _ = objects(OBJECT)
    (container,) = pod["spec"]["containers"]
    assert container["imagePullPolicy"] == "Never"
    assert container["env"] == [
        {"name": "EMPTY", "value": ""},
        {"name": "LOG_LEVEL", "value": "debug"},
    ]
    assert container["envFrom"] == [SECRET, SETTINGS]
    assert container["ports"][0]["containerPort"] == 8080
    assert pod["spec"]["serviceAccountName"] == "signer"
    assert "automountServiceAccountToken" not in pod["spec"]


def test_pod_and_service_carry_the_operators_labels_not_the_executors() -> None:
    for found in objects(OBJECT):
        labels = found["metadata"]["labels"]
        assert labels["app"] == "performer"
        assert labels["hourglass.eigenlayer.io/performer"] == NAME
        assert labels["hourglass.eigenlayer.io/avs"] == AVS.lower()


def test_the_service_has_the_name_and_port_that_the_executor_calls() -> None:
    _, service = objects(OBJECT)
    assert service["metadata"]["name"] == f"performer-{NAME}"
    assert service["spec"]["ports"][0]["port"] == 8080


def test_it_is_stored_as_it_was_written(world: World) -> None:
    stored = create(world, OBJECT)
    assert stored["spec"] == OBJECT["spec"]
    assert stored["metadata"]["labels"] == OBJECT["metadata"]["labels"]
    assert stored["status"]["phase"] == "Pending"


VARIABLE = {
    "name": "API_KEY",
    "valueFrom": {"secretKeyRef": {"name": "api-secrets", "key": "api-key"}},
}


def with_sources(*sources: JSON) -> JSON:
    config = {**OBJECT["spec"]["config"], "environmentFrom": list(sources)}
    return {**OBJECT, "spec": {**OBJECT["spec"], "config": config}}


def test_a_variable_from_a_secret_is_stored_and_reaches_the_container(world: World) -> None:
    body = with_sources(VARIABLE)
    assert create(world, body)["spec"] == body["spec"]
    pod, _ = objects(body)
    assert VARIABLE in pod["spec"]["containers"][0]["env"]


BOTH = {"secretKeyRef": {"name": "s", "key": "k"}, "configMapKeyRef": {"name": "c", "key": "k"}}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param({"name": "A"} | SECRET, "not both", id="a variable that is a whole source"),
        pytest.param({"prefix": "P_"} | VARIABLE, "not both", id="a variable with a prefix"),
        pytest.param(
            {"valueFrom": VARIABLE["valueFrom"]}, "needs the name", id="a source without a variable"
        ),
        pytest.param(
            {"name": "A", "valueFrom": {}}, "exactly one of configMapKeyRef", id="an empty source"
        ),
        pytest.param(
            {"name": "A", "valueFrom": BOTH}, "exactly one of configMapKeyRef", id="two sources"
        ),
        pytest.param(
            {"name": "A=B"}, "the name of an environment variable", id="a name with an equals sign"
        ),
        pytest.param(
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}},
            "secretKeyRef.key: Required",
            id="a secret without a key",
        ),
    ],
)
def test_a_variable_that_no_pod_could_have_is_refused(
    world: World, source: JSON, said: str
) -> None:
    with pytest.raises(APIError, match=said):
        create(world, with_sources(source))


EVERY_FIELD: JSON = {
    "avsAddress": AVS,
    "image": "registry.example.com:5000/avs/worker:v1",
    "imagePullPolicy": "IfNotPresent",
    "version": "v1",
    "config": {
        "grpcPort": 8080,
        "environment": {"A": "1"},
        "environmentFrom": [VARIABLE, {"name": "EMPTY"}],
        "args": ["--verbose"],
        "command": ["/bin/performer"],
        "serviceAccountName": "signer",
    },
    "resources": {
        "limits": {"cpu": "2", "memory": "4Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi"},
    },
    "scheduling": {
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "avs"}, {"key": "gpu"}],
        "affinity": {"nodeAffinity": {}},
        "runtimeClass": "gvisor",
        "priorityClassName": "high",
    },
    "hardwareRequirements": {
        "gpuType": "nvidia-a100",
        "gpuCount": 1,
        "teeRequired": True,
        "teeType": "sgx",
        "customLabels": {"tier": "premium"},
    },
    "imagePullSecrets": [{"name": "registry"}],
}
"""Every field that the Go operator's definition has."""


def test_every_field_of_the_go_operators_definition_is_accepted_and_stored(world: World) -> None:
    assert create(world, {**OBJECT, "spec": EVERY_FIELD})["spec"] == EVERY_FIELD


@pytest.mark.parametrize("field", ["resources", "scheduling", "hardwareRequirements", "config"])
def test_fields_that_say_nothing_are_accepted(world: World, field: str) -> None:
    spec = {**EVERY_FIELD, field: {}}
    assert create(world, {**OBJECT, "spec": spec})["spec"]["image"] == EVERY_FIELD["image"]


def test_ready_and_the_last_condition_are_all_it_needs(world: World, performers: Client) -> None:
    """It polls status.ready, and shows the message of the last condition when it gives up."""
    with world.lock:
        account = {"metadata": {"name": "signer"}}
        world.there.cluster.api.create("serviceaccounts", account, namespace=NAMESPACE)
    create(world, OBJECT)
    changes = performers.watch(NAME)
    seen = next(change.performer for change in changes if change.performer.status.conditions)
    while seen.status.phase != "Failed":
        assert seen.status.ready is False
        assert seen.status.conditions[-1].type == "Ready"
        seen = next(changes).performer
    assert "pull policy of Never" in seen.status.conditions[-1].message
    performers.delete(NAME)
    assert any(change.type is ChangeType.DELETED for change in changes)
    changes.close()
