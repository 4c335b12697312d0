"""Whether a schema is structural.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go
"""

from collections.abc import Iterator
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import go_regexp
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError

_ROOT, _ITEM, _FIELD = "at the root", "for specified array items", "for specified object fields"
_EITHER = ("integer", "string")
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_UNSUPPORTED = (
    "id",
    "$schema",
    "$ref",
    "patternProperties",
    "dependencies",
    "additionalItems",
    "definitions",
)
_NESTED = (
    ("type", "must be empty to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    (_PRESERVE, "must be false to be structural"),
    (_EMBEDDED, "must be false to be structural"),
    (_INT_OR_STRING, "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
)


def structural_faults(schema: JSON, path: str) -> tuple[list[FieldError], str]:
    """What keeps a schema from being structural, and why it cannot even be looked at."""
    if unsound := _unsound(schema):
        return [], unsound
    found = [*_invariants(schema, _ROOT, path), *_completeness(schema, path)]
    return sorted(found, key=lambda error: f"{error.field}: {error.message}"), ""


def _unsound(schema: Any) -> str:
    if not isinstance(schema, dict):
        return ""
    for keyword in _UNSUPPORTED:
        if schema.get(keyword):
            named = "schema" if keyword == "$schema" else keyword
            return f"OpenAPIV3Schema '{named}' is not supported"
    if schema.get(_PRESERVE) is False:
        return f"internal error: '{_PRESERVE}' must be true or undefined"
    if isinstance(schema.get("items"), list):
        return "OpenAPIV3Schema 'items' must be a schema, but is an array"
    below = [schema.get("not"), schema.get("items"), schema.get("additionalProperties")]
    for field in ("allOf", "anyOf", "oneOf"):
        below += schema.get(field) or ()
    below += (schema.get("properties") or {}).values()
    return next(filter(None, map(_unsound, below)), "")


def _forbidden(field: str, why: str) -> FieldError:
    return FieldError(ErrorType.FORBIDDEN, field, None, why)


def _invalid(field: str, value: Any, why: str) -> FieldError:
    return FieldError(ErrorType.INVALID, field, value, why)


def _required(field: str, why: str) -> FieldError:
    return FieldError(ErrorType.REQUIRED, field, None, why)


def _invariants(schema: JSON, level: str, path: str) -> Iterator[FieldError]:
    kind, properties = schema.get("type") or "", schema.get("properties") or {}
    items, additional = schema.get("items"), schema.get("additionalProperties")
    if kind == "array" and items is None:
        yield _required(f"{path}.items", "must be specified")
    if items is not None:
        yield from _invariants(items, _ITEM, f"{path}.items")
    for name, child in properties.items():
        yield from _invariants(child, _FIELD, f"{path}.properties[{name}]")
    if additional is not None:
        if level == _ROOT:
            yield _forbidden(f"{path}.additionalProperties", "must not be used at the root")
        if isinstance(additional, dict):
            yield from _invariants(additional, _FIELD, f"{path}.additionalProperties")
    either, preserves = schema.get(_INT_OR_STRING), schema.get(_PRESERVE)
    embedded = schema.get(_EMBEDDED)
    for keyword, value in ((_PRESERVE, preserves), (_EMBEDDED, embedded)):
        if either and value:
            why = f"must be false if {_INT_OR_STRING} is true"
            yield _invalid(f"{path}.{keyword}", True, why)
    yield from _values(schema, path, any_of=_is_either(schema), first=_starts_with_either(schema))
    if embedded and kind != "object":
        why = f"must be object if {_EMBEDDED} is true"
        yield _invalid(f"{path}.type", kind, why) if kind else _required(f"{path}.type", why)
    elif not kind and not either and not preserves:
        yield _required(f"{path}.type", f"must not be empty {level}")
    if embedded and additional is not None:
        at = f"{path}.additionalProperties"
        yield _forbidden(at, f"must not be used if {_EMBEDDED} is set")
    if level == _ROOT and kind and kind != "object":
        yield _invalid(f"{path}.type", kind, "must be object at the root")
    yield from _meta(properties, level, path, checked=level == _ROOT or bool(embedded))
    if embedded and not preserves and not properties:
        why = f"must not be empty if {_EMBEDDED} is true without {_PRESERVE}"
        yield _required(f"{path}.properties", why)


def _meta(properties: JSON, level: str, path: str, *, checked: bool) -> Iterator[FieldError]:
    for name, expected in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        kind = (properties.get(name) or {}).get("type") or ""
        if checked and name in properties and kind != expected:
            yield _invalid(f"{path}.properties[{name}].type", kind, f"must be {expected}")
    if level == _ROOT and "metadata" in properties:
        found = dict(properties["metadata"])
        names = set(found.get("properties") or ())
        if names <= {"name", "generateName"}:
            found.pop("properties", None)
        for keyword in ("type", "default"):
            found.pop(keyword, None)
        if any(value not in (None, "", False, [], {}) for value in found.values()):
            why = "must not specify anything other than name and generateName, but metadata is"
            yield _forbidden(f"{path}.properties[metadata]", f"{why} implicitly specified")


def _is_either(schema: JSON) -> bool:
    """The pattern that says the same as int-or-string."""
    found = schema.get("anyOf") or ()
    return list(found) == [{"type": kind} for kind in _EITHER]


def _starts_with_either(schema: JSON) -> bool:
    found = schema.get("allOf") or []
    return bool(found) and _is_either(found[0])


def _values(schema: JSON, path: str, *, any_of: bool, first: bool) -> Iterator[FieldError]:
    """The logic of a schema; `any_of` and `first` are not looked at: int-or-string."""
    if not any_of:
        for index, each in enumerate(schema.get("anyOf") or ()):
            yield from _nested(each, f"{path}.anyOf[{index}]")
    for index, each in enumerate(schema.get("allOf") or ()):
        yield from _nested(each, f"{path}.allOf[{index}]", any_of=first and index == 0)
    for index, each in enumerate(schema.get("oneOf") or ()):
        yield from _nested(each, f"{path}.oneOf[{index}]")
    if schema.get("not") is not None:
        yield from _nested(schema["not"], f"{path}.not")
    if pattern := schema.get("pattern"):
        yield from _pattern(pattern, f"{path}.pattern")


def _pattern(pattern: str, path: str) -> Iterator[FieldError]:
    if wrong := go_regexp.fault(pattern):
        why = "must be a valid regular expression, but isn't: error parsing regexp: "
        yield _invalid(path, pattern, f"{why}{wrong}")


def _nested(schema: JSON, path: str, *, any_of: bool = False) -> Iterator[FieldError]:
    yield from _values(schema, path, any_of=any_of, first=False)
    if schema.get("items") is not None:
        yield from _nested(schema["items"], f"{path}.items")
    for name, child in (schema.get("properties") or {}).items():
        yield from _nested(child, f"{path}.properties[{name}]")
    for keyword, why in _NESTED:
        if schema.get(keyword) and not (keyword == "type" and any_of and not schema["type"]):
            yield _forbidden(f"{path}.{keyword}", why)
    if schema.get("default") is not None:
        yield _forbidden(f"{path}.default", "must be undefined to be structural")
    if schema.get("additionalProperties") not in (None, False):
        yield _forbidden(f"{path}.additionalProperties", "must be undefined to be structural")
    if "metadata" in (schema.get("properties") or ()):
        at = f"{path}.properties[metadata]"
        yield _forbidden(at, "must not be specified in a nested context")


def _completeness(schema: JSON, path: str) -> Iterator[FieldError]:
    """What logic at the root speaks of must be specified outside of it, too."""
    for child, at in _logic(schema, path):
        yield from _complete(child, schema, at, path)


def _logic(schema: JSON, path: str) -> Iterator[tuple[JSON, str]]:
    for field in ("allOf", "anyOf", "oneOf"):
        for index, each in enumerate(schema.get(field) or ()):
            yield each, f"{path}.{field}[{index}]"
    if schema.get("not") is not None:
        yield schema["not"], f"{path}.not"


def _complete(nested: JSON, main: JSON | None, path: str, at: str) -> Iterator[FieldError]:
    if main is None:
        yield _required(at, f"because it is defined in {path}")
        return
    for name, child in (nested.get("properties") or {}).items():
        below = (main.get("properties") or {}).get(name)
        known = f"{at}.properties[{name}]"
        yield from _complete(child, below, f"{path}.properties[{name}]", known)
    if nested.get("items") is not None:
        yield from _complete(nested["items"], main.get("items"), f"{path}.items", f"{at}.items")
    for child, below_path in _logic(nested, path):
        yield from _complete(child, main, below_path, at)
