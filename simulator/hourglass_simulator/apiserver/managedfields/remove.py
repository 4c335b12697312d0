"""An object without some of its fields.

https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/typed/remove.go
"""

from typing import Any

from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet, is_member
from hourglass_simulator.apiserver.managedfields.schema import List, Map, Type
from hourglass_simulator.apiserver.managedfields.typed import elements, kind_of


def without(value: Any, fields: FieldSet, known: Type) -> Any:
    """`value` without the members of a set; None where nothing is left of a map or a list."""
    atom = known.atom
    kind = kind_of(atom, value)
    if kind is Map and atom.map is not None:
        if not isinstance(value, dict) or not value or atom.map.atomic:
            return None
        return _map(value, fields, atom.map) or None
    if kind is List and atom.list is not None:
        if not isinstance(value, list) or not value or not atom.list.associative:
            return None
        return _list(value, fields, atom.list) or None
    return value


def _map(value: dict[str, Any], fields: FieldSet, known: Map) -> dict[str, Any]:
    result = {}
    for name, each in value.items():
        below = fields.get("f:" + name)
        if below is None:
            result[name] = each
        elif not is_member(below):
            found = known.fields.get(name) or known.element
            result[name] = each if found is None else without(each, below, found)
    return result


def _list(value: list[Any], fields: FieldSet, known: List) -> list[Any]:
    result = []
    for element, item in elements(known, value):
        below = fields.get(element)
        if below is None:
            result.append(item)
        elif not is_member(below):
            result.append(without(item, below, known.element))
    return result
