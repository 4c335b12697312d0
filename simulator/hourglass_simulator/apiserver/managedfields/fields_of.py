"""The fields that a value has, and those of a set that are there only as parents.

https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/typed/tofieldset.go
"""

from typing import Any

from hourglass_simulator.apiserver.managedfields import fieldset
from hourglass_simulator.apiserver.managedfields.fieldset import SELF, FieldSet
from hourglass_simulator.apiserver.managedfields.schema import List, Map, Type
from hourglass_simulator.apiserver.managedfields.typed import elements, field_type, kind_of

Path = tuple[str, ...]


def fields_of(value: Any, known: Type) -> FieldSet:
    """Every leaf and every list item of a value."""
    result: FieldSet = {}
    _collect(value, known, (), result)
    return result


def _collect(value: Any, known: Type, path: Path, result: FieldSet) -> None:
    atom = known.atom
    kind = kind_of(atom, value)
    if kind is Map and atom.map is not None and not atom.map.atomic:
        if isinstance(value, dict):
            _map(value, atom.map, path, result)
        return
    if kind is List and atom.list is not None and atom.list.associative:
        if isinstance(value, list):
            _list(value, atom.list, path, result)
        return
    fieldset.insert(result, path)


def _map(value: dict[str, Any], known: Map, path: Path, result: FieldSet) -> None:
    for name, each in value.items():
        here = (*path, "f:" + name)
        _collect(each, field_type(known, name), here, result)
        if each is None or each == {} or name not in known.fields:
            fieldset.insert(result, here)


def _list(value: list[Any], known: List, path: Path, result: FieldSet) -> None:
    items = list(elements(known, value))
    seen = [element for element, _ in items]
    for element, item in items:
        here = (*path, element)
        if seen.count(element) == 1:
            _collect(item, known.element, here, result)
        fieldset.insert(result, here)


def with_named_parents(fields: FieldSet, known: Type | None) -> FieldSet:
    """The set with the named fields that have members below them.

    https://pkg.go.dev/sigs.k8s.io/structured-merge-diff/v6/fieldpath#Set.EnsureNamedFieldsAreMembers
    """
    atom = None if known is None else known.atom
    result: FieldSet = {}
    for element, below in fields.items():
        if element == SELF or not below:
            result[element] = below
            continue
        child, named = None, False
        if element.startswith("f:") and atom is not None and atom.map is not None:
            name = element[2:]
            named = name in atom.map.fields
            child = atom.map.fields[name] if named else atom.map.element
        elif element.startswith("k:") and atom is not None and atom.list is not None:
            child = atom.list.element
        completed = with_named_parents(below, child)
        result[element] = {SELF: {}, **completed} if named else completed
    return result
