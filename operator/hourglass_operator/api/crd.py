"""Generate the CustomResourceDefinition from the types.

    python -m hourglass_operator.api.crd > crds/performers.hourglass.eigenlayer.io.yaml

The schema is structural:
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

import sys
from functools import cache
from typing import Any

from pydantic import BaseModel

from hourglass_kube.dumper import as_yaml
from hourglass_operator.api import coretypes
from hourglass_operator.api.rules import VALIDATIONS, rule
from hourglass_operator.api.types import (
    DEFAULT_GRPC_PORT,
    GROUP,
    KIND,
    MAX_NAME_LENGTH,
    PLURAL,
    VERSION,
    PerformerSpec,
    PerformerStatus,
)

DEFAULTS: dict[str, Any] = {
    "spec.config": {},
    "spec.config.grpcPort": DEFAULT_GRPC_PORT,
    # To kstatus a status that does not say which generation it is about is about the present one.
    "status": {"phase": "Pending", "observedGeneration": 0},
}
"""What the API server writes into an object that lacks it; every other default is only applied
by the operator, so that a later release may improve it."""

_NAME_RULE = rule(
    f"self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{{0,{MAX_NAME_LENGTH - 2}}}[a-z0-9])?$')",
    f"must be at most {MAX_NAME_LENGTH} lower-case letters, digits or '-', starting and ending "
    "with a letter or digit: the Service is called performer-{name}",
    fieldPath=".metadata.name",
)

_DISRUPTION_RULE = rule(
    "!(self.?disruption.policy.orValue('') == 'MoveFirst'"
    " && self.?upgradeStrategy.type.orValue('') == 'Recreate')",
    "MoveFirst needs two pods at a time, which upgradeStrategy.type Recreate excludes: use Auto or "
    "RollingUpdate",
    fieldPath=".disruption.policy",
)

_ALLOCATION_RULE = rule(
    "self.?hardwareRequirements.allocation.orValue('') != 'ResourceClaim'"
    " || self.hardwareRequirements.?gpuCount.orValue("
    "self.hardwareRequirements.?gpuType.orValue('').size()) > 0",
    "ResourceClaim needs GPUs to claim: a gpuType or a gpuCount, and no gpuCount of 0",
    fieldPath=".hardwareRequirements.allocation",
)
_CLAIMS_RULE = rule(
    "!has(self.resources) || !has(self.resources.claims) || self.resources.claims.all(used, "
    "has(self.config.resourceClaims) && "
    "self.config.resourceClaims.exists(claim, claim.name == used.name))",
    "each claim must be the name of one in config.resourceClaims",
    fieldPath=".resources.claims",
)
_SPEC_RULES = [_DISRUPTION_RULE, _ALLOCATION_RULE, _CLAIMS_RULE]

_COLUMNS = (
    ("Phase", "string", ".status.phase", 0),
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', 0),
    ("Version", "string", ".spec.version", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Endpoint", "string", ".status.grpcEndpoint", 1),
    ("Node", "string", ".status.nodeName", 1),
    ("Image", "string", ".spec.image", 1),
    ("AVS", "string", ".spec.avsAddress", 1),
    # Last, because it is long: what is wrong, without another command.
    ("Message", "string", '.status.conditions[?(@.type=="Ready")].message', 0),
)

_NOT_STRUCTURAL = ("title", "default", "$defs", "anyOf", "$ref", "x-core-type")


@cache
def generate() -> dict[str, Any]:
    """The CustomResourceDefinition as a JSON object, made once: nobody may change it in place."""
    root = {
        "type": "object",
        "description": "A Performer runs one AVS workload: a pod, upgraded without interruption, "
        "behind a Service with a stable name.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}"},
            "kind": {"type": "string", "description": KIND},
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": {**_model(PerformerSpec, "spec"), VALIDATIONS: _SPEC_RULES},
            # What kubelets report is true, and a rule that it breaks would refuse the whole status.
            "status": _without_rules(_model(PerformerStatus, "status")),
        },
        VALIDATIONS: [_NAME_RULE],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["perf"],
                "categories": ["hourglass"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(*column) for column in _COLUMNS],
                    "schema": {"openAPIV3Schema": root},
                }
            ],
        },
    }


def text() -> str:
    """The CustomResourceDefinition as the YAML file in `crds/`."""
    notice = "# Generated from hourglass_operator.api by `make generate`; do not edit.\n"
    return notice + as_yaml(generate())


def _column(name: str, kind: str, path: str, priority: int) -> dict[str, Any]:
    column = {"name": name, "type": kind, "jsonPath": path}
    return column | {"priority": priority} if priority else column


def _model(model: type[BaseModel], path: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    return _structural(schema, schema.get("$defs", {}), path)


def _without_rules(schema: dict[str, Any]) -> dict[str, Any]:
    result = {key: value for key, value in schema.items() if key != VALIDATIONS}
    if "properties" in schema:
        result["properties"] = {k: _without_rules(v) for k, v in schema["properties"].items()}
    for nested in ("items", "additionalProperties"):
        if isinstance(schema.get(nested), dict):
            result[nested] = _without_rules(schema[nested])
    return result


def _structural(schema: dict[str, Any], definitions: dict[str, Any], path: str) -> dict[str, Any]:
    """Inline references, drop null alternatives and titles, write the chosen defaults."""
    result = _resolved(schema, definitions)
    if "properties" in result:
        result["properties"] = {
            name: _structural(value, definitions, f"{path}.{name}")
            for name, value in result["properties"].items()
        }
    for nested in ("items", "additionalProperties"):
        if isinstance(result.get(nested), dict):
            result[nested] = _structural(result[nested], definitions, f"{path}[]")
    if result.get("type") == "integer" and "format" not in result:
        result["format"] = "int32" if "maximum" in result else "int64"
    if path in DEFAULTS:
        result["default"] = DEFAULTS[path]
    return result


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """`schema` merged over what it refers to; its own words win."""
    own = {key: value for key, value in schema.items() if key not in _NOT_STRUCTURAL}
    if "x-core-type" in schema:
        return coretypes.schema(schema["x-core-type"]) | own
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions) | own
    if "anyOf" in schema:
        alternatives = [part for part in schema["anyOf"] if part != {"type": "null"}]
        if len(alternatives) != 1:
            raise TypeError(f"not expressible in a structural schema: {schema['anyOf']}")
        return _resolved(alternatives[0], definitions) | own
    return own


if __name__ == "__main__":
    sys.stdout.write(text())
