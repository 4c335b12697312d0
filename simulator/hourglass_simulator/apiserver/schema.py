"""Structural schemas: compiling, pruning and defaulting.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema

Objects are never changed in place: what comes back shares everything that did not change.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hourglass_simulator.apiserver import go_regexp
from hourglass_simulator.apiserver.schema_formats import known_format, known_number_format

_ABSENT: Any = object()
META = frozenset({"apiVersion", "kind", "metadata"})
"""What an object has whatever its schema says."""


@dataclass(frozen=True, slots=True)
class Node:
    """One schema with all that hangs below it.

    `additional_allowed`: `additionalProperties` is there, whether with a schema or as true;
    `number_format`: that of a number, which versions before 1.37 do not look at.
    """

    types: tuple[str, ...] = ()
    format: str = ""
    number_format: str = ""
    nullable: bool = False
    default: Any = None
    properties: dict[str, "Node"] = field(default_factory=dict)
    additional: "Node | None" = None
    additional_allowed: bool = False
    items: "Node | None" = None
    required: tuple[str, ...] = ()
    enum: tuple[Any, ...] = ()
    pattern: go_regexp.Pattern | None = None
    pattern_text: str = ""
    minimum: int | float | None = None
    maximum: int | float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    min_properties: int | None = None
    max_properties: int | None = None
    all_of: tuple["Node", ...] = ()
    any_of: tuple["Node", ...] = ()
    one_of: tuple["Node", ...] = ()
    excluded: "Node | None" = None
    list_type: str = "atomic"
    list_keys: tuple[str, ...] = ()
    preserves: bool = False
    embedded: bool = False
    int_or_string: bool = False
    rules: tuple[dict[str, Any], ...] = ()
    has_defaults: bool = False
    has_embedded: bool = False

    @property
    def has_logic(self) -> bool:
        """Whether there is anything of oneOf, anyOf, allOf and not."""
        return bool(self.all_of or self.any_of or self.one_of or self.excluded)


def compile_schema(schema: dict[str, Any]) -> Node:
    """The node of an `openAPIV3Schema` that was validated before."""
    properties = {
        name: compile_schema(value)
        for name, value in sorted((schema.get("properties") or {}).items())
    }
    additional = schema.get("additionalProperties")
    below = [*properties.values()]
    nodes = {"additional": additional, "items": schema.get("items")}
    compiled = {n: compile_schema(value) for n, value in nodes.items() if isinstance(value, dict)}
    below += compiled.values()
    pattern = schema.get("pattern", "")
    either = schema.get("x-kubernetes-int-or-string", False)
    types = ("integer", "string") if either else tuple(filter(None, [schema.get("type")]))
    excluded = schema.get("not")
    return Node(
        types=types,
        format=known_format(schema.get("format", "")),
        number_format=known_number_format(schema.get("type", ""), schema.get("format", "")),
        nullable=schema.get("nullable", False),
        default=schema.get("default"),
        properties=properties,
        **compiled,
        additional_allowed=additional is not None and additional is not False,
        required=tuple(schema.get("required") or ()),
        enum=tuple(schema.get("enum") or ()),
        pattern=go_regexp.compiled(pattern) if pattern else None,
        pattern_text=pattern,
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        exclusive_minimum=schema.get("exclusiveMinimum", False),
        exclusive_maximum=schema.get("exclusiveMaximum", False),
        multiple_of=schema.get("multipleOf"),
        min_length=schema.get("minLength"),
        max_length=schema.get("maxLength"),
        min_items=schema.get("minItems"),
        max_items=schema.get("maxItems"),
        min_properties=schema.get("minProperties"),
        max_properties=schema.get("maxProperties"),
        all_of=tuple(map(compile_schema, schema.get("allOf") or ())),
        any_of=tuple(map(compile_schema, schema.get("anyOf") or ())),
        one_of=tuple(map(compile_schema, schema.get("oneOf") or ())),
        excluded=None if excluded is None else compile_schema(excluded),
        list_type=schema.get("x-kubernetes-list-type") or "atomic",
        list_keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
        preserves=schema.get("x-kubernetes-preserve-unknown-fields") or False,
        embedded=schema.get("x-kubernetes-embedded-resource", False),
        int_or_string=either,
        rules=tuple(schema.get("x-kubernetes-validations") or ()),
        has_defaults=any(node.default is not None or node.has_defaults for node in below),
        has_embedded=any(node.embedded or node.has_embedded for node in below),
    )


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
                if (new := _with_default(value[name], node.additional)) is not value[name]:
                    changed[name] = new
        return {**value, **changed} if changed else value
    if isinstance(value, list) and node.items is not None:
        items = [_with_default(item, node.items) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def _with_default(value: Any, node: Node) -> Any:
    if value is None and not node.nullable:
        value = node.default
    return defaulted(value, node)


def pruned(value: Any, node: Node | None, old: Any = None) -> Any:
    """`value` without unknown fields and without nulls that the schema does not allow.

    What is shared with `old` was pruned before and is not looked at again.
    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning/algorithm.go
    """
    if value is old:
        return value
    if isinstance(value, dict):
        olds = old if isinstance(old, dict) else {}
        kept: dict[str, Any] = {}
        changed = False
        for name, child_value in value.items():
            known, child = _child(node, name)
            if not known or (
                child_value is None
                and child is not None
                and not child.nullable
                and child.default is None
            ):
                changed = True
                continue
            new = child_value if known == _AS_IT_IS else pruned(child_value, child, olds.get(name))
            changed = changed or new is not child_value
            kept[name] = new
        return kept if changed else value
    if isinstance(value, list):
        items = [pruned(item, _item(node)) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


_UNKNOWN, _KNOWN, _AS_IT_IS = 0, 1, 2
_PRESERVED = Node(preserves=True)


def _child(node: Node | None, name: str) -> tuple[int, Node | None]:
    """How a field is known, and its schema; None as a schema prunes all that is below."""
    if node is None:
        return _UNKNOWN, None
    if node.embedded and name in META:
        return _AS_IT_IS, None
    found = node.properties.get(name)
    if found is not None:
        return _KNOWN, found
    if node.additional_allowed:
        return _KNOWN, node.additional
    return (_AS_IT_IS if node.preserves else _UNKNOWN), None


def _item(node: Node | None) -> Node | None:
    if node is None:
        return None
    if node.items is None:
        return _PRESERVED if node.preserves else None
    return node.items


def unknown_fields(value: Any, node: Node | None, path: str = "") -> Iterator[str]:
    """Paths of the fields that `pruned` drops for being unknown, e.g. `spec.env[0].vlaue`."""
    if isinstance(value, dict):
        for name, child_value in value.items():
            here = f"{path}.{name}" if path else name
            known, child = _child(node, name)
            if not known:
                yield here
            elif known == _KNOWN:
                yield from unknown_fields(child_value, child, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown_fields(item, _item(node), f"{path}[{index}]")
