"""Parts of a definition as Go prints the internal types, which some errors show.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/types_jsonschema.go
"""

from collections.abc import Callable, Sequence
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.schema_error import go_json

_SCHEMA: tuple[tuple[str, str, Any], ...] = (
    ("ID", "id", ""),
    ("Schema", "$schema", ""),
    ("Ref", "$ref", None),
    ("Description", "description", ""),
    ("Type", "type", ""),
    ("Nullable", "nullable", False),
    ("Format", "format", ""),
    ("Title", "title", ""),
    ("Default", "default", None),
    ("Maximum", "maximum", None),
    ("ExclusiveMaximum", "exclusiveMaximum", False),
    ("Minimum", "minimum", None),
    ("ExclusiveMinimum", "exclusiveMinimum", False),
    ("MaxLength", "maxLength", None),
    ("MinLength", "minLength", None),
    ("Pattern", "pattern", ""),
    ("MaxItems", "maxItems", None),
    ("MinItems", "minItems", None),
    ("UniqueItems", "uniqueItems", False),
    ("MultipleOf", "multipleOf", None),
    ("Enum", "enum", None),
    ("MaxProperties", "maxProperties", None),
    ("MinProperties", "minProperties", None),
    ("Required", "required", None),
    ("Items", "items", None),
    ("AllOf", "allOf", None),
    ("OneOf", "oneOf", None),
    ("AnyOf", "anyOf", None),
    ("Not", "not", None),
    ("Properties", "properties", None),
    ("AdditionalProperties", "additionalProperties", None),
    ("PatternProperties", "patternProperties", None),
    ("Dependencies", "dependencies", None),
    ("AdditionalItems", "additionalItems", None),
    ("Definitions", "definitions", None),
    ("ExternalDocs", "externalDocs", None),
    ("Example", "example", None),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", None),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource", False),
    ("XIntOrString", "x-kubernetes-int-or-string", False),
    ("XListMapKeys", "x-kubernetes-list-map-keys", None),
    ("XListType", "x-kubernetes-list-type", None),
    ("XMapType", "x-kubernetes-map-type", None),
    ("XValidations", "x-kubernetes-validations", None),
)
_RULE = (
    ("Rule", "rule", ""),
    ("Message", "message", ""),
    ("MessageExpression", "messageExpression", ""),
    ("Reason", "reason", None),
    ("FieldPath", "fieldPath", ""),
    ("OptionalOldSelf", "optionalOldSelf", None),
)
ROOT_FIELDS = tuple((keyword, field, zero) for field, keyword, zero in _SCHEMA)
"""Keyword, field and zero value, in the order of the Go type."""


def shown_rule(rule: JSON) -> str:
    """A ValidationRule."""
    return go_json(_fields(rule, _RULE))


def shown_schema(schema: JSON) -> str:
    """A JSONSchemaProps."""
    return go_json(_schema(schema))


def shown_versions(
    spec: JSON, hoisted: Sequence[str], is_hoisted: Callable[[list[JSON], str], bool]
) -> str:
    """All versions, without what they have in common."""
    versions = spec.get("versions")
    if versions is None:
        return "null"
    common = {field for field in hoisted if is_hoisted(versions, field)}
    return go_json([_version(each, common) for each in versions])


def _version(version: JSON, common: set[str]) -> JSON:
    own = {field: value for field, value in version.items() if field not in common}
    schema = (own.get("schema") or {}).get("openAPIV3Schema")
    columns = own.get("additionalPrinterColumns")
    selectable = own.get("selectableFields")
    subresources = own.get("subresources")
    return {
        "Name": own.get("name", ""),
        "Served": own.get("served", False),
        "Storage": own.get("storage", False),
        "Deprecated": own.get("deprecated", False),
        "DeprecationWarning": own.get("deprecationWarning"),
        "Schema": None if schema is None else {"OpenAPIV3Schema": _schema(schema)},
        "Subresources": subresources
        and {
            "Status": subresources.get("status"),
            "Scale": subresources.get("scale") and _fields(subresources["scale"], _SCALE),
        },
        "AdditionalPrinterColumns": columns and [_fields(each, _COLUMN) for each in columns],
        "SelectableFields": selectable and [{"JSONPath": each["jsonPath"]} for each in selectable],
    }


_SCALE = (
    ("SpecReplicasPath", "specReplicasPath", ""),
    ("StatusReplicasPath", "statusReplicasPath", ""),
    ("LabelSelectorPath", "labelSelectorPath", None),
)
_COLUMN = (
    ("Name", "name", ""),
    ("Type", "type", ""),
    ("Format", "format", ""),
    ("Description", "description", ""),
    ("Priority", "priority", 0),
    ("JSONPath", "jsonPath", ""),
)


def _fields(obj: JSON, fields: Sequence[tuple[str, str, Any]]) -> JSON:
    return {field: obj.get(key, zero) for field, key, zero in fields}


def _schema(schema: JSON) -> JSON:
    found = _fields(schema, _SCHEMA)
    for field in ("AllOf", "OneOf", "AnyOf"):
        if found[field] is not None:
            found[field] = [_schema(each) for each in found[field]]
    for field in ("Properties", "PatternProperties", "Definitions"):
        if found[field] is not None:
            found[field] = {name: _schema(found[field][name]) for name in sorted(found[field])}
    if found["Not"] is not None:
        found["Not"] = _schema(found["Not"])
    if isinstance(found["Items"], dict):
        found["Items"] = {"Schema": _schema(found["Items"]), "JSONSchemas": None}
    additional = found["AdditionalProperties"]
    if additional is not None:
        below = _schema(additional) if isinstance(additional, dict) else None
        allows = additional is not False
        found["AdditionalProperties"] = {"Allows": allows, "Schema": below}
    if found["XValidations"] is not None:
        found["XValidations"] = [_fields(rule, _RULE) for rule in found["XValidations"]]
    return found
