"""Validation against a structural schema, with the texts of the real API server.

Follows k8s.io/kube-openapi/pkg/validation/validate and, for updates, the ratcheting of
k8s.io/apiextensions-apiserver: what did not change is not complained about.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting

The real server walks maps in random order; errors come in the order of the sorted names here.
"""

import re
from collections.abc import Iterator
from typing import Any

from hourglass_simulator.apiserver.schema import Node, same
from hourglass_simulator.apiserver.schema_error import (
    ErrorType,
    FieldError,
    go_float,
    not_supported,
    quoted,
    too_long,
    too_many,
)

ABSENT: Any = object()
"""Stands for an old value that does not exist or cannot be identified."""

_JSON_TYPES = {
    str: ("string", ""),
    bool: ("boolean", ""),
    int: ("integer", "int64"),
    float: ("number", "float64"),
    list: ("array", ""),
    dict: ("object", ""),
    type(None): ("null", ""),
}
_DATE_TIME = re.compile(
    r"[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])t([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})",
    re.IGNORECASE,
)


def string_is_valid(value: str, node: Node) -> bool:
    """Whether length, pattern and format are right."""
    return (
        (node.max_length is None or len(value) <= node.max_length)
        and (node.min_length is None or len(value) >= node.min_length)
        and (node.pattern is None or node.pattern.search(value) is not None)
        and (node.format != "date-time" or _DATE_TIME.fullmatch(value) is not None)
    )


def validate(value: Any, node: Node, path: str, old: Any = ABSENT) -> Iterator[FieldError]:
    """What is wrong with `value`; nothing when it equals `old`."""
    if old is not ABSENT and same(value, old):
        return
    wrong_type = list(_wrong_type(value, node, path))
    yield from wrong_type
    if isinstance(value, str):
        yield from _string(value, node, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(value, node, path)
    elif isinstance(value, list):
        yield from _list(value, node, path, old)
    if node.enum and not any(same(value, allowed) for allowed in node.enum):
        yield not_supported(_field(path), "" if value is None else value, node.enum)
    if isinstance(value, dict):
        yield from _object(value, node, path, old)


def _field(path: str) -> str:
    return path.removeprefix(".") or "<nil>"


def _wrong_type(value: Any, node: Node, path: str) -> Iterator[FieldError]:
    if value is None and node.nullable:
        return
    kind, kind_format = _JSON_TYPES[type(value)]
    whole = isinstance(value, float) and value.is_integer() and "integer" in node.types
    if kind in node.types or whole or (kind == "integer" and "number" in node.types):
        return
    expected, found = ",".join(node.types), kind
    if node.format == "date-time" and kind != "null":
        if kind == "array":
            return  # The real server lets it pass, too.
        expected, found = node.format, kind_format
    detail = f"{path} in body must be of type {expected}: {quoted(found)}"
    yield FieldError(ErrorType.TYPE_INVALID, _field(path), found, detail)


def _invalid(path: str, value: Any, says: str) -> FieldError:
    return FieldError(ErrorType.INVALID, _field(path), value, f"{path} in body {says}")


def _string(value: str, node: Node, path: str) -> Iterator[FieldError]:
    if node.max_length is not None and len(value) > node.max_length:
        yield too_long(_field(path), node.max_length)
    elif node.min_length is not None and len(value) < node.min_length:
        yield _invalid(path, value, f"should be at least {node.min_length} chars long")
    elif node.pattern is not None and node.pattern.search(value) is None:
        yield _invalid(path, value, f"should match '{node.pattern_text}'")
    if node.format == "date-time" and _DATE_TIME.fullmatch(value) is None:
        detail = f"{path} in body must be of type date-time: {quoted(value)}"
        yield FieldError(ErrorType.TYPE_INVALID, _field(path), value, detail)


def _number(value: int | float, node: Node, path: str) -> Iterator[FieldError]:
    if node.minimum is not None and value < node.minimum:
        bound = go_float(float(node.minimum))
        yield _invalid(path, value, f"should be greater than or equal to {bound}")
    if node.maximum is not None and value > node.maximum:
        yield _invalid(
            path, value, f"should be less than or equal to {go_float(float(node.maximum))}"
        )


def _list(value: list[Any], node: Node, path: str, old: Any) -> Iterator[FieldError]:
    if node.items is not None:
        old_items = correlated(value, node, old)
        for index, (item, old_item) in enumerate(zip(value, old_items, strict=True)):
            yield from validate(item, node.items, f"{path}[{index}]", old_item)
    if node.min_items is not None and len(value) < node.min_items:
        yield _invalid(path, len(value), f"should have at least {node.min_items} items")
    if node.max_items is not None and len(value) > node.max_items:
        yield too_many(_field(path), len(value), node.max_items)


def correlated(items: list[Any], node: Node, old: Any) -> list[Any]:
    """The old item of each item, by key in a list-map; ABSENT in other lists."""
    if node.list_type != "map" or not isinstance(old, list):
        return [ABSENT] * len(items)
    olds = {_key(item, node): item for item in old}
    return [olds.get(_key(item, node), ABSENT) for item in items]


def _key(item: Any, node: Node) -> Any:
    if not isinstance(item, dict):
        return None
    return tuple(repr(item.get(name)) for name in node.list_keys)


def _object(value: dict[str, Any], node: Node, path: str, old: Any) -> Iterator[FieldError]:
    if node.min_properties is not None and len(value) < node.min_properties:
        yield _invalid(path, len(value), f"should have at least {node.min_properties} properties")
    if node.max_properties is not None and len(value) > node.max_properties:
        yield too_many(_field(path), len(value), node.max_properties)
    olds = old if isinstance(old, dict) else {}
    for name in sorted(value):
        child = node.properties.get(name, node.additional)
        if child is not None:
            here = f"{path}.{name}" if path or name not in node.properties else name
            yield from validate(value[name], child, here, olds.get(name, ABSENT))
    for name in node.required:
        if name not in value:
            yield FieldError(ErrorType.REQUIRED, _field(f"{path}.{name}"), None, "")


def duplicates(value: Any, node: Node, path: str) -> Iterator[FieldError]:
    """Items of a list-map with the key of an earlier one, each key reported once."""
    if isinstance(value, dict):
        for name in sorted(value):
            child = node.properties.get(name)
            if child is not None:
                yield from duplicates(value[name], child, f"{path}.{name}" if path else name)
            elif node.additional is not None:
                yield from duplicates(value[name], node.additional, f"{path}[{name}]")
    elif isinstance(value, list):
        others = (i for i, item in enumerate(value) if not isinstance(item, dict | None))
        if node.list_type == "map" and (first := next(others, None)) is not None:
            detail = "must be an object for an array of list-type map"
            yield FieldError(ErrorType.INVALID, f"{path}[{first}]", value[first], detail)
        elif node.list_type == "map":
            seen: dict[str, int] = {}
            for index, item in enumerate(value):
                key = {name: item[name] for name in node.list_keys if item and name in item}
                seen[repr(key)] = times = seen.get(repr(key), 0) + 1
                if times == 2:
                    yield FieldError(ErrorType.DUPLICATE, f"{path}[{index}]", key, "")
        if node.items is not None:
            for index, item in enumerate(value):
                yield from duplicates(item, node.items, f"{path}[{index}]")
