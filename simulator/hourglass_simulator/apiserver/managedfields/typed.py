"""What the walks through typed values have in common.

https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/typed/helpers.go
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from hourglass_simulator.apiserver.managedfields import fieldpath
from hourglass_simulator.apiserver.managedfields.schema import Atom, List, Map, Type


class _Absent(Enum):
    ABSENT = 0


ABSENT: Final = _Absent.ABSENT
"""No value, where null is one."""


class SchemaError(ValueError):
    """A value does not fit its type; `faults` are (path, what is wrong)."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        self.faults = faults
        shown = [f"{path}: {why}" if path else why for path, why in faults]
        super().__init__(shown[0] if len(shown) == 1 else "\n  ".join(["errors:", *shown]))


def kind_of(atom: Atom, value: Any) -> type:
    """Which of the kinds of a type a value is: Map, List or str, a scalar.

    Where none fits it is the first that the type has; Errors: SchemaError for a type of none.
    """
    if isinstance(value, dict):
        if atom.map is not None:
            return Map
    elif isinstance(value, list):
        if atom.list is not None:
            return List
    elif value is not None and value is not ABSENT and atom.scalar:
        return str
    if atom.map is not None:
        return Map
    if atom.scalar:
        return str
    if atom.list is not None:
        return List
    raise SchemaError([("", "schema error: invalid atom: inlined")])


def field_type(known: Map, name: str) -> Type:
    """The type of a field of a map."""
    found = known.fields.get(name) or known.element
    if found is None:
        raise SchemaError([(f".{name}", "field not declared in schema")])
    return found


def item_element(known: List, item: Any) -> str:
    """The path element of an item of an associative list; SchemaError when it has none."""
    if known.keys:
        return _keyed(known, item)
    if isinstance(item, dict):
        why = "associative list without keys has an element that's a map type"
    elif isinstance(item, list):
        why = "not supported: associative list with lists as elements"
    elif item is None:
        why = "associative list without keys has an element that's an explicit null"
    else:
        return fieldpath.of_value(item)
    raise SchemaError([("", why)])


def _keyed(known: List, item: Any) -> str:
    if item is None:
        raise SchemaError([("", "associative list with keys may not have a null element")])
    if not isinstance(item, dict):
        raise SchemaError([("", "associative list with keys may not have non-map elements")])
    keys = []
    for name in sorted(known.keys):
        if name in item:
            keys.append((name, item[name]))
        elif (default := _key_default(known, name)) is not None:
            keys.append((name, default))
    if not keys:
        names = "[" + " ".join(f'"{name}"' for name in known.keys) + "]"
        why = f"associative list with keys has an element that omits all key fields {names} "
        raise SchemaError([("", f"{why}(and doesn't have default values for any key fields)")])
    return fieldpath.of_keys(keys)


def _key_default(known: List, name: str) -> Any:
    items = known.element.atom.map
    return None if items is None else items.defaults.get(name)


def elements(known: List, items: list[Any]) -> Iterator[tuple[str, Any]]:
    """The items of an associative list with their path elements."""
    for index, item in enumerate(items):
        try:
            yield item_element(known, item), item
        except SchemaError as error:
            raise SchemaError([("", f"element {index}: {error}")]) from None


def equal(one: Any, other: Any) -> bool:
    """Deep equality, where 1 is 1.0 and not true."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and len(one) == len(other)
            and all(name in other and equal(each, other[name]) for name, each in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
