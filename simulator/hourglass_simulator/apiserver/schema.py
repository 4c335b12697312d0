"""Structural schemas: compiling, pruning and defaulting.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema

Objects are never changed in place: what comes back shares everything that did not change.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Node:
    """One schema with all that hangs below it."""

    types: tuple[str, ...] = ()
    format: str = ""
    nullable: bool = False
    default: Any = None
    properties: dict[str, "Node"] = field(default_factory=dict)
    additional: "Node | None" = None
    items: "Node | None" = None
    required: tuple[str, ...] = ()
    enum: tuple[Any, ...] = ()
    pattern: "re.Pattern[str] | None" = None
    pattern_text: str = ""
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    min_properties: int | None = None
    max_properties: int | None = None
    list_type: str = "atomic"
    list_keys: tuple[str, ...] = ()
    rules: tuple[dict[str, Any], ...] = ()
    has_defaults: bool = False


_KNOWN = frozenset(
    {
        *("type", "format", "nullable", "default", "enum", "required", "description"),
        *("properties", "additionalProperties", "items"),
        *("pattern", "minimum", "maximum", "minLength", "maxLength"),
        *("minItems", "maxItems", "minProperties", "maxProperties"),
        *("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"),
        *("x-kubernetes-validations", "x-kubernetes-int-or-string"),
    }
)


def compile_schema(schema: dict[str, Any]) -> Node:
    """The node of an `openAPIV3Schema`; ValueError names a keyword that is not simulated."""
    if unknown := sorted(schema.keys() - _KNOWN):
        raise ValueError(f"schema keyword not simulated: {', '.join(unknown)}")
    properties = {
        name: compile_schema(value) for name, value in sorted(schema.get("properties", {}).items())
    }
    additional = schema.get("additionalProperties")
    below = [*properties.values()]
    nodes = {"additional": additional, "items": schema.get("items")}
    compiled = {name: compile_schema(value) for name, value in nodes.items() if value is not None}
    below += compiled.values()
    pattern = schema.get("pattern", "")
    return Node(
        types=("integer", "string")
        if schema.get("x-kubernetes-int-or-string")
        else (schema["type"],),
        format=schema.get("format", ""),
        nullable=schema.get("nullable", False),
        default=schema.get("default"),
        properties=properties,
        **compiled,
        required=tuple(schema.get("required", ())),
        enum=tuple(schema.get("enum", ())),
        pattern=re.compile(_go_pattern(pattern)) if pattern else None,
        pattern_text=pattern,
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        min_length=schema.get("minLength"),
        max_length=schema.get("maxLength"),
        min_items=schema.get("minItems"),
        max_items=schema.get("maxItems"),
        min_properties=schema.get("minProperties"),
        max_properties=schema.get("maxProperties"),
        list_type=schema.get("x-kubernetes-list-type", "atomic"),
        list_keys=tuple(schema.get("x-kubernetes-list-map-keys", ())),
        rules=tuple(schema.get("x-kubernetes-validations", ())),
        has_defaults=any(node.default is not None or node.has_defaults for node in below),
    )


def _go_pattern(pattern: str) -> str:
    """Go's `$` is the end of the text; Python's also stands before a last line break."""
    return pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern


def defaulted(value: Any, node: Node) -> Any:
    """`value` with the schema's defaults; a null where null is not allowed counts as absent."""
    if not node.has_defaults:
        return value
    if isinstance(value, dict):
        changed: dict[str, Any] = {}
        for name, child in node.properties.items():
            present = value.get(name, _ABSENT)
            if child.default is not None and (
                present is _ABSENT or (present is None and not child.nullable)
            ):
                changed[name] = defaulted(child.default, child)
            elif present is not _ABSENT and (new := defaulted(present, child)) is not present:
                changed[name] = new
        if node.additional is not None:
            for name in value.keys() - node.properties.keys():
                if (new := defaulted(value[name], node.additional)) is not value[name]:
                    changed[name] = new
        return {**value, **changed} if changed else value
    if isinstance(value, list) and node.items is not None:
        items = [defaulted(item, node.items) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def pruned(value: Any, node: Node | None, old: Any = None) -> Any:
    """`value` without unknown fields and without nulls that the schema does not allow.

    What is shared with `old` was pruned before and is not looked at again.
    """
    if value is old:
        return value
    if isinstance(value, dict):
        olds = old if isinstance(old, dict) else {}
        kept: dict[str, Any] = {}
        changed = False
        for name, child_value in value.items():
            child = _child(node, name)
            if child is None or (
                child_value is None and not child.nullable and child.default is None
            ):
                changed = True
                continue
            new = pruned(child_value, child, olds.get(name))
            changed = changed or new is not child_value
            kept[name] = new
        return kept if changed else value
    if isinstance(value, list):
        child = node.items if node is not None else None
        items = [pruned(item, child) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def unknown_fields(value: Any, node: Node | None, path: str = "") -> Iterator[str]:
    """Paths of the fields that `pruned` drops for being unknown, e.g. `spec.env[0].vlaue`."""
    if isinstance(value, dict):
        for name, child_value in value.items():
            here = f"{path}.{name}" if path else name
            child = _child(node, name)
            if child is None:
                yield here
            else:
                yield from unknown_fields(child_value, child, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            child = node.items if node is not None else None
            yield from unknown_fields(item, child, f"{path}[{index}]")


def _child(node: Node | None, name: str) -> Node | None:
    if node is None:
        return None
    return node.properties.get(name) or node.additional


def same(one: Any, other: Any) -> bool:
    """Deep equality of JSON values that does not take true for 1; shared parts cost nothing."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            name in other and same(value, other[name]) for name, value in one.items()
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
