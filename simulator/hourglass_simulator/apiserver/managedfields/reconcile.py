"""A stored set of fields after its type has changed between granular and atomic.

https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/typed/reconcile_schema.go
"""

from hourglass_simulator.apiserver.managedfields.fieldset import SELF, FieldSet, is_member
from hourglass_simulator.apiserver.managedfields.schema import List, Map, Type
from hourglass_simulator.apiserver.managedfields.typed import kind_of


def reconciled(fields: FieldSet, known: Type) -> FieldSet:
    """The set, with what is now a whole as a member instead of what was below it."""
    result: FieldSet = {}
    changed = False
    for element, below in fields.items():
        if element == SELF:
            result[SELF] = below
            continue
        child = _child(known, element)
        new = below if child is None else _reconciled(below, child)
        changed = changed or new is not below
        result[element] = new
    return result if changed else fields


def _reconciled(below: FieldSet, known: Type) -> FieldSet:
    atom = known.atom
    kind = kind_of(atom, None)
    whole = not below and is_member(below)
    if kind is List and atom.list is not None:
        if not whole and not atom.list.associative:
            return {}
    elif kind is Map and atom.map is not None:
        if atom.map.deduced:
            return below
        if not whole and atom.map.atomic:
            return {}
    return reconciled(below, known) if below else below


def _child(known: Type, element: str) -> Type | None:
    atom = known.atom
    kind = kind_of(atom, None)
    if kind is Map and atom.map is not None:
        if atom.map.deduced:
            return None
        if element.startswith("f:"):
            return atom.map.fields.get(element[2:]) or atom.map.element
        return atom.map.element
    return atom.list.element if kind is List and atom.list is not None else None
