"""The schema of a definition as the OpenAPI documents have it.

Its v2 knows less than the schemas of definitions: what kubectl would take for a restriction that
there is not is left out.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder/builder.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hourglass_kube.types import JSON

_PRESERVED, _EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"
_INT_OR_STRING, _RULES = "x-kubernetes-int-or-string", "x-kubernetes-validations"
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_NUMBERS = ("maximum", "minimum", "maxLength", "minLength", "maxItems", "minItems")
_COUNTS = ("maxProperties", "minProperties", "multipleOf")
_KEPT_WHERE_SET = (
    *("type", "format", "description", "title", "pattern"),
    *("nullable", "exclusiveMaximum", "exclusiveMinimum", "uniqueItems", "required"),
    *(_PRESERVED, _EMBEDDED, _INT_OR_STRING),
    "x-kubernetes-list-map-keys",
)
_KEPT = (
    *_NUMBERS,
    *_COUNTS,
    *("default", "enum", "x-kubernetes-list-type", "x-kubernetes-map-type"),
)
_EITHER = [{"type": "integer"}, {"type": "string"}]
_DESCRIBED = {
    "apiVersion": "apiVersion defines the versioned schema of this representation of an object. "
    "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/"
    "api-conventions.md#resources",
    "kind": "kind is a string value representing the type of this object. In CamelCase. "
    "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/"
    "api-conventions.md#types-kinds",
}
"""Of what is embedded."""


def published(
    schema: JSON, usual: Mapping[str, JSON], kept: Sequence[str] = (), *, v2: bool
) -> JSON:
    """The schema of a kind; `usual` are the properties that every kind has.

    `kept` are the keywords that describe, and which not every version publishes.
    """
    if v2 and schema.get(_PRESERVED):
        return {"type": "object"}
    found = _structural(schema, kept, v2=v2)
    found["properties"] = {**found.get("properties", {}), **usual}
    _embed(found, usual, v2=v2)
    return found


def _structural(schema: JSON, kept: Sequence[str], *, v2: bool) -> JSON:
    found = _values(schema) | {name: schema[name] for name in kept if name in schema}
    if v2:
        found = _without_what_v2_lacks(schema, found)
    elif schema.get(_INT_OR_STRING):
        found = _int_or_string(found)
    # What is left of a value that can be null, or has unknown fields, are no fields and no items.
    opaque = v2 and (schema.get("nullable") or schema.get(_PRESERVED))
    if "items" in schema and not opaque:
        found["items"] = _structural(schema["items"], kept, v2=v2)
    if schema.get("properties") and not opaque:
        below = sorted(schema["properties"].items())
        found["properties"] = {name: _structural(each, kept, v2=v2) for name, each in below}
    if "additionalProperties" in schema:
        more = schema["additionalProperties"]
        found["additionalProperties"] = (
            _structural(more, kept, v2=v2) if isinstance(more, dict) else more
        )
    return found


def _values(schema: JSON) -> JSON:
    """What restricts the value itself."""
    found = {name: schema[name] for name in _KEPT_WHERE_SET if schema.get(name)}
    found |= {name: schema[name] for name in _KEPT if schema.get(name) is not None}
    if rules := schema.get(_RULES):
        found[_RULES] = [dict(sorted(rule.items())) for rule in rules]
    for name in _JUNCTORS:
        if schema.get(name):
            found[name] = [_nested(each) for each in schema[name]]
    if schema.get("not") is not None:
        found["not"] = _nested(schema["not"])
    return found


def _nested(schema: JSON) -> JSON:
    """A schema below `allOf` and the like."""
    found = _values(schema)
    if "items" in schema:
        found["items"] = _nested(schema["items"])
    if schema.get("properties"):
        below = sorted(schema["properties"].items())
        found["properties"] = {name: _nested(each) for name, each in below}
    return found


def _int_or_string(found: JSON) -> JSON:
    """Says in the words of OpenAPI that there are two types, unless it does already."""
    all_of = found.get("allOf", [])
    if found.get("anyOf") == _EITHER or (all_of and all_of[0].get("anyOf") == _EITHER):
        return found
    if "anyOf" not in found:
        return {**found, "anyOf": _EITHER}
    return {**found, "allOf": [{"anyOf": _EITHER}, *all_of]}


def _without_what_v2_lacks(schema: JSON, found: JSON) -> JSON:
    left_out = {*_JUNCTORS, "not", "nullable", "default"}
    opaque = schema.get("nullable") or schema.get(_PRESERVED)
    kind = schema.get("type")
    if schema.get("nullable") or (schema.get(_PRESERVED) and kind == "object"):
        left_out.add("type")
    if kind == "array" and (opaque or "items" not in schema):
        left_out.add("type")
    below, more = schema.get("properties", {}), schema.get("additionalProperties")
    required = [name for name in schema.get("required", ()) if not _is_nullable(below.get(name))]
    if opaque:
        required = schema.get("required", [])
    if _is_nullable(more) or not required:
        left_out.add("required")
    kept = {name: value for name, value in found.items() if name not in left_out}
    return {**kept, "required": required} if "required" in kept else kept


def _is_nullable(schema: Any) -> bool:
    return isinstance(schema, dict) and bool(schema.get("nullable"))


def _embed(schema: JSON, usual: Mapping[str, JSON], *, v2: bool) -> None:
    """Give embedded objects the properties that every object has."""
    for each in schema.get("properties", {}).values():
        _embed(each, usual, v2=v2)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            _embed(schema[name], usual, v2=v2)
    if not schema.get(_EMBEDDED) or (v2 and schema.get(_PRESERVED)):
        return
    described = {name: {**usual[name], "description": text} for name, text in _DESCRIBED.items()}
    own = {**described, "metadata": usual["metadata"]}
    schema["properties"] = {**schema.get("properties", {}), **own}
    required = schema.get("required", [])
    missing = [name for name in ("kind", "apiVersion") if name not in required]
    schema["required"] = [*required, *missing]
