"""Validation against a structural schema, with the texts of the real API server.

Follows k8s.io/kube-openapi/pkg/validation/validate and, for updates, the ratcheting of
k8s.io/apiextensions-apiserver: what did not change is not complained about.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting

The real server walks maps in random order; errors come in the order of the sorted names here.
"""

from collections.abc import Iterator
from typing import Any

from hourglass_kube.mergepatch import same
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.schema import Node
from hourglass_simulator.apiserver.schema_error import (
    ErrorType,
    FieldError,
    go_float,
    not_supported,
    quoted,
    too_long,
    too_many,
)
from hourglass_simulator.apiserver.schema_formats import has_format

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


class _Result:
    """Errors, and how many checks were made: of several failures the one with most is shown."""

    __slots__ = ("errors", "matches")

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self.matches = 0

    def add(self, *errors: FieldError) -> None:
        """Note errors that are not known yet."""
        for error in errors:
            if all(
                error.detail != known.detail or error.field != known.field for known in self.errors
            ):
                self.errors.append(error)

    def merge(self, other: "_Result") -> None:
        """Note all that another result has."""
        self.add(*other.errors)
        self.matches += other.matches


def string_is_valid(value: str, node: Node) -> bool:
    """Whether length, pattern and format are right."""
    return (
        (node.max_length is None or len(value) <= node.max_length)
        and (node.min_length is None or len(value) >= node.min_length)
        and (node.pattern is None or node.pattern.search(value) is not None)
        and (not node.format or has_format(value, node.format))
    )


def validate(value: Any, node: Node, path: str, old: Any = ABSENT) -> Iterator[FieldError]:
    """What is wrong with `value`; nothing when it equals `old`."""
    yield from _ratcheted(value, node, path, old).errors


def _ratcheted(value: Any, node: Node, path: str, old: Any) -> _Result:
    found = _checked(value, node, path, old)
    if found.errors and old is not ABSENT and same(value, old):
        found.errors = []
    return found


def _checked(value: Any, node: Node, path: str, old: Any) -> _Result:
    """All validators of one schema, in their order."""
    result = _Result()
    wrong = list(_wrong_type(value, node, path))
    result.add(*wrong)
    if value is None:
        result.add(*_enum(value, node, path))
        result.matches += 1
        return result
    if node.types or node.format:
        result.matches += 2 if not wrong else 1
    result.merge(_logic(value, node, path))
    result.matches += 1
    if isinstance(value, str):
        result.add(*_string(value, node, path))
        result.matches += 1
        if node.format:
            result.add(*_format(value, node, path))
            result.matches += 1
    elif isinstance(value, int | float) and not isinstance(value, bool):
        result.add(*_number(value, node, path))
        result.matches += 2
    elif isinstance(value, list):
        result.merge(_list(value, node, path, old))
        result.matches += 1
    result.add(*_enum(value, node, path))
    result.matches += 1
    if isinstance(value, dict):
        result.merge(_object(value, node, path, old))
        result.matches += 1
    result.matches += 1
    return result


def _field(path: str) -> str:
    return path.removeprefix(".") or "<nil>"


def _wrong_type(value: Any, node: Node, path: str) -> Iterator[FieldError]:
    if not node.types and not node.format:
        return
    kind, kind_format = _JSON_TYPES[type(value)]
    if value is None:
        if not node.types or node.nullable:
            return
        found, expected = "null", ",".join(node.types)
    else:
        whole = isinstance(value, float) and value.is_integer() and "integer" in node.types
        as_number = kind == "integer" and "number" in node.types
        fits = kind in node.types or whole or as_number
        numeric = "number" in node.types or "integer" in node.types
        found, expected = kind, ",".join(node.types)
        of = node.format or (gates.since(37) and node.number_format)
        if of and kind not in ("string", "array") and not fits:
            expected, found = of, kind_format
        elif fits or (node.format and not numeric and kind in ("string", "array")):
            return  # A list passes for a formatted string on the real server, too.
    detail = f"{path} in body must be of type {expected}: {quoted(found)}"
    yield FieldError(ErrorType.TYPE_INVALID, _field(path), found, detail)


def _invalid(path: str, value: Any, says: str) -> FieldError:
    return FieldError(ErrorType.INVALID, _field(path), value, f"{path} in body {says}")


def _enum(value: Any, node: Node, path: str) -> Iterator[FieldError]:
    if node.enum and not any(_equal(value, allowed) for allowed in node.enum):
        yield not_supported(_field(path), value, node.enum)


def _equal(value: Any, allowed: Any) -> bool:
    """Numbers are compared as numbers; a null equals nothing."""
    if value is None or allowed is None:
        return False
    numbers = (int, float)
    if type(value) in numbers and type(allowed) in numbers:
        return bool(value == allowed)
    return same(value, allowed)


def _string(value: str, node: Node, path: str) -> Iterator[FieldError]:
    if node.max_length is not None and len(value) > node.max_length:
        yield too_long(_field(path), node.max_length)
    elif node.min_length is not None and len(value) < node.min_length:
        yield _invalid(path, value, f"should be at least {node.min_length} chars long")
    elif node.pattern is not None and node.pattern.search(value) is None:
        yield _invalid(path, value, f"should match '{node.pattern_text}'")


def _format(value: str, node: Node, path: str) -> Iterator[FieldError]:
    if not has_format(value, node.format):
        detail = f"{path} in body must be of type {node.format}: {quoted(value)}"
        yield FieldError(ErrorType.TYPE_INVALID, _field(path), value, detail)


def _number(value: int | float, node: Node, path: str) -> Iterator[FieldError]:
    checks = gates.since(37)
    if checks:
        yield from _range(value, node, path, "Checked")
    if node.multiple_of is not None:
        if checks:
            yield from _range(node.multiple_of, node, path, "MultipleOf")
        factor = _bound(value, node.multiple_of)
        if factor <= 0:
            why = f"factor MultipleOf declared for {path} must be positive: {_shown(factor)}"
            yield FieldError(ErrorType.INVALID, _field(path), factor, why)
        elif not _is_multiple(value, factor):
            yield _invalid(path, value, f"should be a multiple of {_shown(factor)}")
    if node.minimum is not None:
        wrong = list(_range(node.minimum, node, path, "Minimum boundary")) if checks else []
        yield from wrong
        bound = float(node.minimum) if wrong else _bound(value, node.minimum)
        if value < bound or (node.exclusive_minimum and value == bound):
            than = "" if node.exclusive_minimum else " or equal to"
            yield _invalid(path, value, f"should be greater than{than} {_shown(bound)}")
    if node.maximum is not None:
        wrong = list(_range(node.maximum, node, path, "Maximum boundary")) if checks else []
        yield from wrong
        bound = float(node.maximum) if wrong else _bound(value, node.maximum)
        if value > bound or (node.exclusive_maximum and value == bound):
            than = "" if node.exclusive_maximum else " or equal to"
            yield _invalid(path, value, f"should be less than{than} {_shown(bound)}")


_LARGEST = {"int32": 2**31, "int64": 2**63, "float": 3.4028234663852886e38}


def _range(value: int | float, node: Node, path: str, what: str) -> Iterator[FieldError]:
    """What is wrong with a number, or a bound of numbers, of the type and the format.

    https://github.com/kubernetes/kube-openapi/blob/d427ff9ee9ad/pkg/validation/validate/values.go
    """
    kind = node.types[0] if len(node.types) == 1 else ""
    if kind == "integer":
        most = _LARGEST.get(node.number_format, _LARGEST["int64"])
        fits = float(value).is_integer() and -most <= value < most
    else:
        fits = node.number_format != "float" or abs(value) <= _LARGEST["float"]
    if not fits:
        form = f"with format {node.number_format}" if node.number_format else "(default format)"
        why = f"{what} value must be of type {kind} {form} in {path}"
        yield FieldError(ErrorType.INVALID, "<nil>", "", why)


def _bound(value: int | float, bound: int | float) -> int | float:
    """A bound as it is compared: an int64 beside an integer, and what does not fit is the least."""
    if not isinstance(value, int):
        return float(bound)
    return int(bound) if -(2**63) <= bound < 2**63 else -(2**63)


def _shown(bound: int | float) -> str:
    return str(bound) if isinstance(bound, int) else go_float(bound)


def _is_multiple(value: int | float, factor: int | float) -> bool:
    if isinstance(value, int):
        return value % factor == 0
    times = 1 / factor * value if factor < 1 else value / factor
    return abs(times - round(times)) < 1e-9


def _list(value: list[Any], node: Node, path: str, old: Any) -> _Result:
    result = _Result()
    if node.items is not None:
        old_items = correlated(value, node, old)
        for index, (item, old_item) in enumerate(zip(value, old_items, strict=True)):
            result.merge(_ratcheted(item, node.items, f"{path}[{index}]", old_item))
    if node.min_items is not None and len(value) < node.min_items:
        result.add(_invalid(path, len(value), f"should have at least {node.min_items} items"))
    if node.max_items is not None and len(value) > node.max_items:
        result.add(too_many(_field(path), len(value), node.max_items))
    result.matches += 1
    return result


def correlated(items: list[Any], node: Node, old: Any) -> list[Any]:
    """The old item of each item, by key in a list-map; ABSENT in other lists."""
    if node.list_type != "map" or not isinstance(old, list):
        return [ABSENT] * len(items)
    olds = {_key(item, node): item for item in reversed(old)}
    return [olds.get(_key(item, node), ABSENT) for item in items]


def _key(item: Any, node: Node) -> Any:
    if not isinstance(item, dict):
        return None
    return tuple(repr(item.get(name)) for name in node.list_keys)


def _object(value: dict[str, Any], node: Node, path: str, old: Any) -> _Result:
    result = _Result()
    if node.min_properties is not None and len(value) < node.min_properties:
        says = f"should have at least {node.min_properties} properties"
        result.add(_invalid(path, len(value), says))
    if node.max_properties is not None and len(value) > node.max_properties:
        result.add(too_many(_field(path), len(value), node.max_properties))
    olds = old if isinstance(old, dict) else {}
    for name in sorted(value):
        child = node.properties.get(name, node.additional)
        if child is not None:
            here = f"{path}.{name}" if path or name not in node.properties else name
            result.merge(_ratcheted(value[name], child, here, olds.get(name, ABSENT)))
    for name in node.required:
        if name not in value:
            result.add(FieldError(ErrorType.REQUIRED, _field(f"{path}.{name}"), None, ""))
    return result


def _logic(value: Any, node: Node, path: str) -> _Result:
    """oneOf, anyOf, allOf and not; what is unchanged below them is complained about, too."""
    result = _Result()
    if node.has_logic:
        if node.any_of:
            result.merge(_any_of(value, node, path))
        if node.one_of:
            result.merge(_one_of(value, node, path))
        if node.all_of:
            found = [_checked(value, each, path, ABSENT) for each in node.all_of]
            for each in found:
                result.merge(each)
            valid = sum(not each.errors for each in found)
            if valid != len(found):
                more = "" if valid else ". None validated"
                result.add(_composite(path, f"must validate all the schemas (allOf){more}"))
        if node.excluded and not _checked(value, node.excluded, path, ABSENT).errors:
            result.add(_composite(path, "must not validate the schema (not)"))
    result.matches += 1
    return result


def _composite(path: str, says: str) -> FieldError:
    return FieldError(ErrorType.INVALID, "<nil>", "", f"{quoted(path)} {says}")


def _any_of(value: Any, node: Node, path: str) -> _Result:
    result = _Result()
    best: _Result | None = None
    for each in node.any_of:
        found = _checked(value, each, path, ABSENT)
        if not found.errors:
            result.merge(found)
            return result
        if best is None or found.matches > best.matches:
            best = found
    result.add(_composite(path, "must validate at least one schema (anyOf)"))
    if best is not None:
        result.merge(best)
    return result


def _one_of(value: Any, node: Node, path: str) -> _Result:
    result = _Result()
    found = [_checked(value, each, path, ABSENT) for each in node.one_of]
    valid = [each for each in found if not each.errors]
    if len(valid) == 1:
        result.merge(valid[0])
        return result
    many = f"Found {len(valid)} valid alternatives" if valid else "Found none valid"
    result.add(_composite(path, f"must validate one and only one schema (oneOf). {many}"))
    if not valid:
        result.merge(max(found, key=lambda each: each.matches))
    return result


def duplicates(value: Any, node: Node, path: str) -> Iterator[FieldError]:
    """Items of a set, and keys of a list-map, that an earlier one has; each is reported once.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype/validation.go
    """
    if isinstance(value, dict):
        for name in sorted(value):
            child = node.properties.get(name)
            if child is not None:
                yield from duplicates(value[name], child, f"{path}.{name}" if path else name)
            elif node.additional is not None:
                yield from duplicates(value[name], node.additional, f"{path}[{name}]")
    elif isinstance(value, list):
        if node.list_type == "set":
            for index in _repeated(value):
                yield FieldError(ErrorType.DUPLICATE, f"{path}[{index}]", value[index], "")
        elif node.list_type == "map":
            yield from _repeated_keys(value, node, path)
        if node.items is not None:
            for index, item in enumerate(value):
                yield from duplicates(item, node.items, f"{path}[{index}]")


def _repeated_keys(value: list[Any], node: Node, path: str) -> Iterator[FieldError]:
    others = (i for i, item in enumerate(value) if not isinstance(item, dict | None))
    if (first := next(others, None)) is not None:
        detail = "must be an object for an array of list-type map"
        yield FieldError(ErrorType.INVALID, f"{path}[{first}]", value[first], detail)
        return
    keys = [
        {name: item[name] for name in node.list_keys if item and name in item} for item in value
    ]
    for index in _repeated(keys):
        yield FieldError(ErrorType.DUPLICATE, f"{path}[{index}]", keys[index], "")


def _repeated(items: list[Any]) -> Iterator[int]:
    """Where an item is met the second time."""
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        text = repr(sorted(item.items())) if isinstance(item, dict) else repr(item)
        seen[text] = times = seen.get(text, 0) + 1
        if times == 2:
            yield index
