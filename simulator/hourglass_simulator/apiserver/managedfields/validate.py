"""Whether what is applied fits its type, with the texts of the real server.

https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/typed/validate.go
"""

from typing import Any

from hourglass_simulator.apiserver import go_format
from hourglass_simulator.apiserver.managedfields import fieldpath
from hourglass_simulator.apiserver.managedfields.schema import (
    BOOLEAN,
    NUMERIC,
    STRING,
    List,
    Map,
    Type,
)
from hourglass_simulator.apiserver.managedfields.typed import SchemaError, item_element, kind_of

Faults = list[tuple[str, str]]


def validate(value: Any, known: Type) -> None:
    """SchemaError with every fault."""
    faults = _faults(value, known)
    if faults:
        raise SchemaError(faults)


def _faults(value: Any, known: Type) -> Faults:
    atom = known.atom
    kind = kind_of(atom, value)
    if value is None:
        return []
    if kind is Map and atom.map is not None:
        if not isinstance(value, dict):
            return [("", f"expected map, got {go_format.value(value)}")]
        return _map(value, atom.map)
    if kind is List and atom.list is not None:
        if not isinstance(value, list):
            return [("", f"expected list, got {go_format.value(value)}")]
        return _list(value, atom.list)
    return _scalar(value, atom.scalar)


def _map(value: dict[str, Any], known: Map) -> Faults:
    faults: Faults = []
    for name in sorted(value):
        found = known.fields.get(name) or known.element
        if found is None:
            return [*faults, (f".{name}", "field not declared in schema")]
        faults += _below(f".{name}", _faults(value[name], found))
    return faults


def _list(value: list[Any], known: List) -> Faults:
    faults: Faults = []
    seen = set()
    for index, item in enumerate(value):
        where = f"[{index}]"
        if known.associative:
            try:
                element = item_element(known, item)
            except SchemaError as error:
                return [*faults, ("", f"element {index}: {error}")]
            where = fieldpath.shown([element])
            if element in seen:
                faults.append(("", f"duplicate entries for key {where}"))
            seen.add(element)
        faults += _below(where, _faults(item, known.element))
    return faults


def _below(where: str, faults: Faults) -> Faults:
    return [(where + path, why) for path, why in faults]


def _scalar(value: Any, scalar: str) -> Faults:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if scalar == NUMERIC:
        if number:
            return []
        return [("", f"expected numeric (int or float), got {go_format.type_of(value)}")]
    if scalar == STRING:
        if isinstance(value, str):
            return []
        return [("", f"expected string, got {go_format.syntax(value)}")]
    if scalar == BOOLEAN:
        if isinstance(value, bool):
            return []
        return [("", f"expected boolean, got {go_format.value(value)}")]
    if isinstance(value, dict | list):
        return [("", f"expected any scalar, got {go_format.value(value)}")]
    return []
