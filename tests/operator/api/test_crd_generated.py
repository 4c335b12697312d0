"""The CRD file is what the types say, structural, and bounded everywhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hourglass_operator.api import coretypes, crd

FILE = Path(__file__).parents[3] / "crds/performers.hourglass.eigenlayer.io.yaml"
ROOT = crd.generate()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if name in schema:
            yield from nodes(schema[name], f"{path}[]")


FIELDS = {path: node for path, node in nodes(ROOT) if path.startswith((".spec", ".status"))}


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_text() == crd.text(), "run `make generate`"


def test_the_file_is_the_generated_object() -> None:
    assert YAML(typ="safe").load(FILE) == crd.generate()


def test_every_field_is_structural_and_bounded() -> None:
    for path, node in FIELDS.items():
        is_structural_and_bounded(path, node)


def is_structural_and_bounded(path: str, node: dict[str, Any]) -> None:
    forbidden = {"$ref", "anyOf", "allOf", "oneOf", "title", "uniqueItems", "x-core-type", "$defs"}
    assert not forbidden & node.keys(), path
    assert node.get("additionalProperties") is not False, path
    match node.get("type"):
        case "string":
            assert {"maxLength", "enum", "format"} & node.keys(), path
        case "array":
            assert "maxItems" in node, path
        case "object" if "additionalProperties" in node:
            assert "maxProperties" in node, path
            assert "properties" not in node, path
        case "object":
            assert node["properties"], path
        case None:
            assert node["x-kubernetes-int-or-string"] is True, path
        case kind:
            assert kind in ("integer", "boolean"), path


def test_every_field_explains_itself() -> None:
    silent = [
        path
        for path, node in FIELDS.items()
        if not (path.endswith("[]") or node.get("description"))
    ]
    assert not silent, "kubectl explain would say nothing"


def test_defaults_are_the_chosen_ones_and_no_others() -> None:
    written = {
        path.lstrip("."): node["default"] for path, node in FIELDS.items() if "default" in node
    }
    assert written == {
        "spec.config": {},
        "spec.config.grpcPort": 9090,
        "status": {"phase": "Pending", "observedGeneration": 0},
    }


def test_every_rule_has_a_message() -> None:
    rules = [rule for node in FIELDS.values() for rule in node.get("x-kubernetes-validations", ())]
    assert rules
    assert all(rule["message"] and "\n" not in rule["message"] for rule in rules)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (
            ".spec",
            "avsAddress image version config resources scheduling hardwareRequirements "
            "imagePullSecrets imagePullPolicy upgradeStrategy disruption",
        ),
        (
            ".spec.config",
            "grpcPort env args command serviceAccountName environment environmentFrom healthCheck "
            "livenessCheck securityContext podSecurityContext resourceClaims",
        ),
        (".spec.scheduling", "nodeSelector tolerations affinity runtimeClass priorityClassName"),
        (".spec.disruption", "policy maxWaitSeconds"),
        (
            ".spec.hardwareRequirements",
            "gpuType gpuCount teeRequired teeType customLabels onUnhealthy allocation",
        ),
        (
            ".status",
            "phase podName serviceName grpcEndpoint conditions lastUpgrade readyTime ready "
            "observedGeneration nodeName resources templateHash servingTemplateHash "
            "progressStartTime",
        ),
    ],
)
def test_the_fields_are_those_of_the_api_reference_and_the_semantics(
    path: str, fields: str
) -> None:
    assert sorted(FIELDS[path]["properties"]) == sorted(fields.split())


def test_avs_address_and_image_are_all_that_is_required() -> None:
    required = {path: node["required"] for path, node in FIELDS.items() if "required" in node}
    assert required.pop(".spec") == ["avsAddress", "image"]
    assert ".spec.config" not in required
    assert ".spec.hardwareRequirements" not in required


def test_core_types_are_the_published_ones() -> None:
    toleration = coretypes.schema("io.k8s.api.core.v1.Toleration")
    assert toleration["properties"]["effect"]["enum"] == [
        "NoExecute",
        "NoSchedule",
        "PreferNoSchedule",
    ]
    with pytest.raises(KeyError):
        coretypes.schema("io.k8s.api.core.v1.Nonsense")


def test_the_columns_show_what_is_wrong() -> None:
    columns = crd.generate()["spec"]["versions"][0]["additionalPrinterColumns"]
    short = [column["name"] for column in columns if not column.get("priority")]
    wide = [column["name"] for column in columns if column.get("priority")]
    assert short == ["Phase", "Ready", "Reason", "Version", "Age", "Message"]
    assert wide == ["Endpoint", "Node", "Image", "AVS"]
