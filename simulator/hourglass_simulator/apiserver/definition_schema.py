"""Validation of the schemas of a CustomResourceDefinition.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import definition_defaults, definition_rules
from hourglass_simulator.apiserver.definition_internal import ROOT_FIELDS, shown_schema
from hourglass_simulator.apiserver.definition_rules import Cardinality
from hourglass_simulator.apiserver.definition_structural import structural_faults
from hourglass_simulator.apiserver.schema import META
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError, not_supported
from hourglass_simulator.apiserver.schema_formats import unrecognized

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_NOT_SUPPORTED = (
    ("additionalItems", "additionalItems is not supported"),
    ("patternProperties", "patternProperties is not supported"),
    ("definitions", "definitions is not supported"),
    ("dependencies", "dependencies is not supported"),
    ("$ref", "$ref is not supported"),
)
_AT_ROOT = (
    *("Description", "Type", "Format", "Title", "Maximum", "ExclusiveMaximum", "Minimum"),
    *("ExclusiveMinimum", "MaxLength", "MinLength", "Pattern", "MaxItems", "MinItems"),
    *("UniqueItems", "MultipleOf", "Required", "Items", "Properties", "ExternalDocs", "Example"),
    *("XPreserveUnknownFields", "XValidations"),
)
_LIST_TYPE, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-map-type"
_KEYS = "x-kubernetes-list-map-keys"


def faults(schema: JSON, path: str, *, has_status: bool, unchanged: bool) -> Iterator[FieldError]:
    """What is wrong with a whole schema; the cost of the rules of an unchanged one is not."""
    found: list[FieldError] = []
    if has_status:
        found += _root_faults(schema, path)
    if schema.get("nullable"):
        found.append(_forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    structural, unsound = structural_faults(schema, path)
    defaults = [] if structural or unsound else list(definition_defaults.faults(schema, path))
    found += structural or defaults
    rules = None if structural or unsound or defaults else Cardinality.of_root(schema)
    walk = _Walk(suppresses_costs=unchanged)
    errors, rule_errors = walk.faults(schema, path, _Place(), rules)
    found += errors + rule_errors
    if not found and unsound:
        found.append(FieldError(ErrorType.INVALID, path, "", unsound))
    if rules is not None:
        found += rules.total.faults(path)
    yield from found


def unrecognized_formats(spec: JSON) -> list[str]:
    """The formats of strings that nobody checks, of all schemas of a definition."""
    found: list[str] = []
    seen: list[Any] = []
    for version in spec.get("versions") or ():
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is not None and schema not in seen:
            seen.append(schema)
            found += _formats(schema)
    return found


def sets_of_no_scalars(spec: JSON) -> list[str]:
    """The types of the items of lists that are sets, and of objects or lists."""
    return [
        schema["items"]["type"]
        for version in spec.get("versions") or ()
        for schema in _all((version.get("schema") or {}).get("openAPIV3Schema") or {})
        if schema.get("x-kubernetes-list-type") == "set"
        and (schema.get("items") or {}).get("type") in ("object", "array")
    ]


def _formats(schema: JSON) -> Iterator[str]:
    for each in _all(schema):
        if unrecognized(each.get("type", ""), each.get("format") or ""):
            yield each["format"]


def _all(schema: JSON) -> Iterator[JSON]:
    """A schema and all below it."""
    yield schema
    items = schema.get("items")
    below = [items] if isinstance(items, dict) else []
    for field in ("allOf", "anyOf", "oneOf"):
        below += schema.get(field) or ()
    below += [schema["not"]] if schema.get("not") else []
    below += [each for _, each in sorted((schema.get("properties") or {}).items())]
    additional = schema.get("additionalProperties")
    below += [additional] if isinstance(additional, dict) else []
    for each in below:
        yield from _all(each)


def _forbidden(field: str, why: str) -> FieldError:
    return FieldError(ErrorType.FORBIDDEN, field, None, why)


def _invalid(field: str, value: Any, why: str) -> FieldError:
    return FieldError(ErrorType.INVALID, field, value, why)


def _required(field: str, why: str) -> FieldError:
    return FieldError(ErrorType.REQUIRED, field, None, why)


class _SchemaError(FieldError):
    """An error that shows a schema as Go prints it."""

    @property
    def message(self) -> str:
        """The text after the field's name."""
        return f"{self.type.value[1]}: {self.value}: {self.detail}"


def _root_faults(schema: JSON, path: str) -> Iterator[FieldError]:
    """With a status subresource the root may only say what is not lost on the status."""
    for keyword, field, zero in ROOT_FIELDS:
        if schema.get(keyword, zero) == zero:
            continue
        if field == "Type":
            if schema["type"] != "object":
                why = 'only "object" is allowed as the type at the root of the schema if the status'
                yield _invalid(f"{path}.type", schema["type"], f"{why} subresource is enabled")
                return
        elif field not in _AT_ROOT:
            why = f"only [{' '.join(_AT_ROOT)}] fields are allowed at the root of the schema if the"
            why += " status subresource is enabled"
            yield _SchemaError(ErrorType.INVALID, path, shown_schema(schema), why)
            return


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a schema: what may not be there, and why."""

    is_root: bool = True
    no_defaults: str = ""
    in_meta: bool = False
    uncorrelatable: str = ""

    def below(self) -> "_Place":
        return replace(self, is_root=False)

    def uncorrelated(self, path: str) -> "_Place":
        return replace(self, uncorrelatable=self.uncorrelatable or path)


class _Walk:
    """Looks at a schema and at all below; rules only where nothing else is wrong."""

    def __init__(self, *, suppresses_costs: bool) -> None:
        self._suppresses_costs = suppresses_costs

    def faults(
        self, schema: Any, path: str, place: _Place, rules: Cardinality | None
    ) -> tuple[list[FieldError], list[FieldError]]:
        """Errors of the schema, and those of its rules."""
        if not isinstance(schema, dict):
            return [], []
        errors = [*_keywords(schema, path, place)]
        rule_errors: list[FieldError] = []
        for child, at, below, context in _children(schema, path, place, rules):
            more, more_of_rules = self.faults(child, at, below, context)
            errors += more
            rule_errors += more_of_rules
        errors += _extensions(schema, path)
        if schema.get("x-kubernetes-validations"):
            errors += definition_rules.static_faults(schema, path)
            if not errors and rules is not None:
                rule_errors += definition_rules.faults(
                    schema,
                    path,
                    rules,
                    uncorrelatable=place.uncorrelatable,
                    suppresses_costs=self._suppresses_costs,
                )
        return errors, rule_errors


_Child = tuple[Any, str, _Place, Cardinality | None]


def _children(
    schema: JSON, path: str, place: _Place, rules: Cardinality | None
) -> Iterator[_Child]:
    below = place.below()
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        within = below
        if place.in_meta:
            why = "inside additionalProperties applying to object metadata"
            within = replace(below, no_defaults=why)
        context = rules.below(schema, additional, "@values") if rules else None
        yield additional, f"{path}.additionalProperties", within, context
    for name, child in sorted((schema.get("properties") or {}).items()):
        within = below
        if schema.get(_MAP_TYPE) not in (None, "granular", "atomic"):
            within = within.uncorrelated(path)
        embeds = schema.get("x-kubernetes-embedded-resource")
        if (place.is_root or embeds) and name in META:
            within = replace(within, in_meta=True)
            if place.is_root:
                within = replace(within, no_defaults=f"in top-level {name}")
        context = rules.below(schema, child, name) if rules else None
        yield child, f"{path}.properties[{name}]", within, context
    if schema.get("not") is not None:
        yield schema["not"], f"{path}.not", below, None
    for field in ("allOf", "oneOf", "anyOf"):
        for index, child in enumerate(schema.get(field) or ()):
            yield child, f"{path}.{field}[{index}]", below, None
    for name, child in sorted((schema.get("definitions") or {}).items()):
        yield child, f"{path}.definitions[{name}]", below, None
    items = schema.get("items")
    if items is not None:
        within = below if schema.get(_LIST_TYPE) == "map" else below.uncorrelated(path)
        if isinstance(items, list):
            for index, child in enumerate(items):
                yield child, f"{path}.items[{index}]", within, None
        else:
            context = rules.below(schema, items, "@items") if rules else None
            yield items, f"{path}.items", within, context


def _keywords(schema: JSON, path: str, place: _Place) -> Iterator[FieldError]:
    kind = schema.get("type") or ""
    if kind and kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    if schema.get("default") is not None and place.no_defaults:
        yield _forbidden(f"{path}.default", f"must not be set {place.no_defaults}")
    if schema.get("id"):
        yield _forbidden(f"{path}.id", "id is not supported")
    for keyword, why in _NOT_SUPPORTED:
        if schema.get(keyword):
            yield _forbidden(f"{path}.{keyword}", why)
    if kind == "null":
        why = "type cannot be set to null, use nullable as an alternative"
        yield _forbidden(f"{path}.type", why)
    if isinstance(schema.get("items"), list):
        yield _forbidden(f"{path}.items", "items must be a schema object and not an array")
    if place.in_meta and schema.get("x-kubernetes-embedded-resource"):
        at = f"{path}.x-kubernetes-embedded-resource"
        yield _forbidden(at, "must not be used inside of resource meta")
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield _forbidden(f"{path}.uniqueItems", why)
    additional = schema.get("additionalProperties")
    if schema.get("properties") and (isinstance(additional, dict) or additional is False):
        why = "additionalProperties and properties are mutual exclusive"
        yield _forbidden(f"{path}.additionalProperties", why)


def _extensions(schema: JSON, path: str) -> Iterator[FieldError]:
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        at = f"{path}.x-kubernetes-preserve-unknown-fields"
        yield _invalid(at, False, "must be true or undefined")
    kind, map_type, list_type = (
        schema.get("type") or "",
        schema.get(_MAP_TYPE),
        schema.get(_LIST_TYPE),
    )
    if map_type is not None and kind != "object":
        why = "must be object if x-kubernetes-map-type is specified"
        yield _invalid(f"{path}.type", kind, why) if kind else _required(f"{path}.type", why)
    if map_type is not None and map_type not in ("atomic", "granular"):
        yield not_supported(f"{path}.{_MAP_TYPE}", map_type, ("atomic", "granular"))
    if list_type is not None and kind != "array":
        why = "must be array if x-kubernetes-list-type is specified"
        yield _invalid(f"{path}.type", kind, why) if kind else _required(f"{path}.type", why)
    elif list_type == "set" and isinstance(schema.get("items"), dict):
        yield from _set_items(schema["items"], f"{path}.items")
    if list_type is not None and list_type not in ("atomic", "set", "map"):
        yield not_supported(f"{path}.{_LIST_TYPE}", list_type, ("atomic", "set", "map"))
    keys = schema.get(_KEYS) or []
    if keys and list_type != "map":
        why = "must be map if x-kubernetes-list-map-keys is non-empty"
        at = f"{path}.{_LIST_TYPE}"
        yield _required(at, why) if list_type is None else _invalid(at, list_type, why)
    if list_type == "map":
        yield from _list_map(schema, keys, path)
    if list_type in ("set", "map") and isinstance(schema.get("items"), dict):
        yield from _keys_are_there(schema["items"], keys, list_type, f"{path}.items")


def _set_items(items: JSON, path: str) -> Iterator[FieldError]:
    why = "must be atomic as item of a list with x-kubernetes-list-type=set"
    own = items.get(_LIST_TYPE)
    if items.get("type") == "array" and own not in (None, "atomic"):
        yield _invalid(f"{path}.{_LIST_TYPE}", own, why)
    if items.get("type") == "object" and items.get(_MAP_TYPE) != "atomic":
        yield _invalid(f"{path}.{_MAP_TYPE}", own, why)


def _list_map(schema: JSON, keys: list[str], path: str) -> Iterator[FieldError]:
    if not keys:
        why = "must not be empty if x-kubernetes-list-type is map"
        yield _required(f"{path}.{_KEYS}", why)
    items = schema.get("items")
    if items is None:
        why = "must have a schema if x-kubernetes-list-type is map"
        yield _required(f"{path}.items", why)
        return
    if not isinstance(items, dict):
        return
    kind = items.get("type") or ""
    if kind != "object":
        why = "must be object if parent array's x-kubernetes-list-type is map"
        yield _invalid(f"{path}.items.type", kind, why)
        return
    properties = items.get("properties") or {}
    for index, key in enumerate(keys):
        if key not in properties:
            why = "entries must all be names of item properties"
            yield _invalid(f"{path}.{_KEYS}", keys, why)
        elif properties[key].get("type") in ("array", "object"):
            why = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield _invalid(f"{path}.items.properties[{key}].type", kind, why)
        if key in keys[:index]:
            yield _invalid(f"{path}.{_KEYS}", keys, "must not contain duplicate entries")


def _keys_are_there(
    items: JSON, keys: list[str], list_type: str, path: str
) -> Iterator[FieldError]:
    if items.get("nullable"):
        why = f"cannot be nullable when x-kubernetes-list-type is {list_type}"
        yield _forbidden(f"{path}.nullable", why)
    if list_type != "map":
        return
    named = "this property is in x-kubernetes-list-map-keys, so it"
    for key in keys:
        found = (items.get("properties") or {}).get(key)
        if found is None:
            continue
        at = f"{path}.properties[{key}]"
        if key not in (items.get("required") or ()) and found.get("default") is None:
            yield _required(
                f"{at}.default", f"{named} must have a default or be a required property"
            )
        if found.get("nullable"):
            yield _forbidden(f"{at}.nullable", f"{named} cannot be nullable")
