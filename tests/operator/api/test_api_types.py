"""The Python types accept and refuse what the API server does, with the same sentences."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hourglass_operator.api import HealthCheck, PerformerConfig, PerformerSpec, PerformerStatus

GOLDENS = Path(__file__).parents[2] / "goldens/validation"
ACCEPTED = json.loads((GOLDENS / "accepted.golden.json").read_text())
REFUSED = json.loads((GOLDENS / "refused.golden.json").read_text())
ADDRESS = "0x1234567890abcdef1234567890abcdef12345678"


def spec(**fields: Any) -> PerformerSpec:
    return PerformerSpec.model_validate({"avsAddress": ADDRESS, "image": "a/b:1", **fields})


@pytest.mark.parametrize("case", ACCEPTED)
def test_reads_what_the_api_server_stores(case: str) -> None:
    obj = ACCEPTED[case]
    read = PerformerSpec.model_validate(obj["spec"])
    assert read.avs_address == obj["spec"]["avsAddress"]
    assert PerformerSpec.model_validate(read.model_dump(by_alias=True)) == read
    status = obj.get("status", {})
    if case != "a ready time that is a list, which Kubernetes overlooks":
        assert PerformerStatus.model_validate(status).phase == status.get("phase")


@pytest.mark.parametrize(
    ("field", "value", "case"),
    [
        ("avsAddress", "", "an empty avsAddress"),
        ("avsAddress", ADDRESS[:-1], "an avsAddress with 39 digits"),
        ("image", "MyPerformer:latest", "an image in capitals"),
        ("image", "myavs/performer:v1:v2", "an image with two tags"),
        ("image", "registry.example.com//performer", "an image with a double slash"),
    ],
)
def test_refuses_with_the_words_of_the_crd(field: str, value: str, case: str) -> None:
    [cause] = REFUSED[case]["details"]["causes"]
    with pytest.raises(ValidationError) as refusal:
        spec(**{field: value})
    assert cause["message"].endswith(refusal.value.errors()[0]["msg"].removeprefix("Value error, "))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"avsAddress": ADDRESS + "\n"}, id="a line break behind the address"),
        pytest.param({"config": {"grpcPort": 0}}, id="port 0"),
        pytest.param({"config": {"grpcPort": 65536}}, id="port 65536"),
        pytest.param({"config": {"healthCheck": "HTTP"}}, id="an unknown health check"),
        pytest.param({"config": {"serviceAccountName": "Signer"}}, id="an account in capitals"),
        pytest.param({"hardwareRequirements": {"gpuCount": -1}}, id="fewer than no GPUs"),
        pytest.param({"hardwareRequirements": {"gpuType": "a b"}}, id="a GPU type of two words"),
        pytest.param({"scheduling": {"nodeSelector": {"a": "b c"}}}, id="a label of two words"),
        pytest.param({"imagePullPolicy": "Sometimes"}, id="an unknown pull policy"),
        pytest.param({"upgradeStrategy": {"type": "BlueGreen"}}, id="an unknown strategy"),
    ],
)
def test_refuses(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spec(**fields)


def test_an_empty_text_is_as_good_as_none() -> None:
    read = spec(
        version="",
        config={"serviceAccountName": ""},
        scheduling={"runtimeClass": "", "priorityClassName": ""},
        hardwareRequirements={"gpuType": "", "teeType": ""},
    )
    assert read == spec()
    assert read.scheduling.runtime_class is None


def test_defaults_of_the_document() -> None:
    assert PerformerConfig().grpc_port == 9090
    assert spec().config.health_check is HealthCheck.TCP
    assert spec(config={"healthCheck": "GRPC"}).config.health_check is HealthCheck.GRPC


def test_types_are_immutable() -> None:
    with pytest.raises(ValidationError):
        spec().image = "c/d:2"  # type: ignore[misc]
