"""Which fields differ between two values of a type.

https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/typed/compare.go
"""

from dataclasses import dataclass, field
from typing import Any

from hourglass_simulator.apiserver.managedfields import fieldset
from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet
from hourglass_simulator.apiserver.managedfields.schema import List, Map, Type
from hourglass_simulator.apiserver.managedfields.typed import (
    ABSENT,
    elements,
    equal,
    field_type,
    kind_of,
)

Path = tuple[str, ...]


@dataclass(slots=True)
class Comparison:
    """The fields that the second value lacks, has otherwise, and has in addition."""

    removed: FieldSet = field(default_factory=dict)
    modified: FieldSet = field(default_factory=dict)
    added: FieldSet = field(default_factory=dict)

    @property
    def written(self) -> FieldSet:
        """What is modified or added."""
        return fieldset.union(self.modified, self.added)

    def without(self, fields: FieldSet) -> "Comparison":
        """The comparison without fields and what is below them."""
        if not fields:
            return self
        return Comparison(
            fieldset.recursive_difference(self.removed, fields),
            fieldset.recursive_difference(self.modified, fields),
            fieldset.recursive_difference(self.added, fields),
        )


def compare(old: Any, new: Any, known: Type) -> Comparison:
    """The difference between two values; SchemaError when one does not fit the type."""
    result = Comparison()
    _compare(old, new, known, (), result)
    return result


def _compare(old: Any, new: Any, known: Type, path: Path, result: Comparison) -> None:
    if old is new:
        return
    atom = known.atom
    if new is ABSENT:
        leaf = _walk(kind_of(atom, old), old, new, known, path, result)
    else:
        kind = kind_of(atom, new)
        if old is not ABSENT and (before := kind_of(atom, old)) is not kind:
            _walk(before, old, new, known, path, result)
        leaf = _walk(kind, old, new, known, path, result)
    if not leaf:
        if old is ABSENT:
            fieldset.insert(result.added, path)
        elif new is ABSENT:
            fieldset.insert(result.removed, path)


def _walk(kind: type, old: Any, new: Any, known: Type, path: Path, result: Comparison) -> bool:
    """Compare values as those of a kind; whether they were taken as wholes."""
    atom = known.atom
    if kind is Map and atom.map is not None:
        olds = old if isinstance(old, dict) else {}
        news = new if isinstance(new, dict) else {}
        if atom.map.atomic or not (olds or news):
            return _leaf(old, new, path, result)
        _maps(olds, news, atom.map, path, result)
        return False
    if kind is List and atom.list is not None:
        old_items = old if isinstance(old, list) else []
        new_items = new if isinstance(new, list) else []
        if not atom.list.associative or not (old_items or new_items):
            return _leaf(old, new, path, result)
        _lists(old_items, new_items, atom.list, path, result)
        return False
    return _leaf(old, new, path, result)


def _leaf(old: Any, new: Any, path: Path, result: Comparison) -> bool:
    if old is ABSENT:
        fieldset.insert(result.added, path)
    elif new is ABSENT:
        fieldset.insert(result.removed, path)
    elif not equal(old, new):
        fieldset.insert(result.modified, path)
    return True


def _maps(olds: Any, news: Any, known: Map, path: Path, result: Comparison) -> None:
    fields, element = known.fields, known.element
    for name, new in news.items():
        old = olds.get(name, ABSENT)
        if old is not new:
            below = fields.get(name) or element or field_type(known, name)
            _compare(old, new, below, (*path, "f:" + name), result)
    for name, old in olds.items():
        if name not in news:
            below = fields.get(name) or element or field_type(known, name)
            _compare(old, ABSENT, below, (*path, "f:" + name), result)


def _lists(olds: list[Any], news: list[Any], known: List, path: Path, result: Comparison) -> None:
    before, after = _by_element(known, olds), _by_element(known, news)
    for key in {**before, **after}:
        old, new, here = before.get(key, []), after.get(key, []), (*path, key)
        if len(old) < 2 and len(new) < 2:
            one, other = (*old, ABSENT)[0], (*new, ABSENT)[0]
            _compare(one, other, known.element, here, result)
        elif len(old) > 1 and len(new) > 1:
            # Items with one key are a whole.
            if not equal(old, new):
                fieldset.insert(result.modified, here)
        elif len(old) > 1:
            if new:
                _compare(ABSENT, new[0], known.element, here, result)
            fieldset.insert(result.removed, here)
        else:
            if old:
                _compare(old[0], ABSENT, known.element, here, result)
            fieldset.insert(result.added, here)


def _by_element(known: List, items: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for element, item in elements(known, items):
        found.setdefault(element, []).append(item)
    return found
