"""A quick yes: whether a value can be stored as it is.

Nearly every write is fine and changes little. A checker says yes in one walk over what changed when
there is nothing to default, prune or complain about; after a no, the exact functions of `schema`
and `schema_validation` find out why. What equals the old value was stored and may stay.
"""

from collections.abc import Callable
from typing import Any

from hourglass_kube.mergepatch import same
from hourglass_simulator.apiserver.schema import Node
from hourglass_simulator.apiserver.schema_validation import ABSENT, string_is_valid

Checker = Callable[[Any, Any], bool]
"""(new value, old value or ABSENT) -> whether it is fine for certain."""

_SCALARS = {"string": str, "boolean": bool, "integer": int}


def checker(node: Node) -> Checker:
    """The checker of a schema, compiled once."""
    if _is_intricate(node):
        return lambda value, old: old is not ABSENT and same(value, old)
    if node.types == ("object",):
        return _object(node)
    if node.types == ("array",):
        return _list(node)
    if node.types == ("string",):
        return _string(node)
    return _other(node)


def _is_intricate(node: Node) -> bool:
    """Whether a schema says more than a quick look can see."""
    return bool(
        node.has_logic
        or node.preserves
        or node.embedded
        or node.exclusive_minimum
        or node.exclusive_maximum
        or node.multiple_of is not None
        or node.list_type == "set"
        or not node.types
        or "number" in node.types
        or (node.additional_allowed and node.additional is None)
    )


def _string(node: Node) -> Checker:
    enum = frozenset(node.enum)
    shortest, longest = node.min_length or 0, node.max_length
    longest = 1 << 62 if longest is None else longest
    plain = node.pattern is None and not node.format

    def check(value: Any, old: Any) -> bool:
        if type(value) is not str:
            return False
        if value == old:
            return True
        if enum and value not in enum:
            return False
        return shortest <= len(value) <= longest and (plain or string_is_valid(value, node))

    return check


def _other(node: Node) -> Checker:
    kinds = {_SCALARS[name] for name in node.types if name in _SCALARS}
    minimum, maximum = node.minimum, node.maximum
    if any(abs(bound) >= 2**63 for bound in (minimum, maximum) if bound is not None):
        return lambda value, old: old is not ABSENT and same(value, old)

    def check(value: Any, old: Any) -> bool:  # noqa: ARG001
        if type(value) not in kinds or (node.enum and value not in node.enum):
            return False
        if isinstance(value, str):
            return string_is_valid(value, node)
        return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)

    return check


def _object(node: Node) -> Checker:
    properties = {name: checker(child) for name, child in node.properties.items()}
    additional = checker(node.additional) if node.additional is not None else None
    needed = frozenset(node.required) | {
        name for name, child in node.properties.items() if child.default is not None
    }
    fewest, most = node.min_properties or 0, node.max_properties
    most = 1 << 62 if most is None else most

    def check(value: Any, old: Any) -> bool:
        if value is old:
            return True
        if type(value) is not dict or not fewest <= len(value) <= most:
            return False
        olds = old if type(old) is dict else {}
        for name, child in value.items():
            test = properties.get(name, additional)
            if test is None or not test(child, olds.get(name, ABSENT)):
                return False
        return not needed or needed <= value.keys()

    return check


def _list(node: Node) -> Checker:
    if node.items is None:
        return lambda value, old: value is old
    test = checker(node.items)
    keys = node.list_keys
    fewest, most = node.min_items or 0, node.max_items
    most = 1 << 62 if most is None else most

    def check(value: Any, old: Any) -> bool:
        if value is old:
            return True
        if type(value) is not list or not fewest <= len(value) <= most:
            return False
        olds = old if type(old) is list else []
        for index, item in enumerate(value):
            # Whichever old item it is compared with: equal to a stored one, it may be stored.
            if not test(item, olds[index] if index < len(olds) else ABSENT):
                return False
        return not keys or len({tuple(map(item.get, keys)) for item in value}) == len(value)

    return check
