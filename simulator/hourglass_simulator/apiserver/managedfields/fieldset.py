"""Sets of fields in the form of FieldsV1, which is how they are stored.

A set is a tree of path elements (`fieldpath.py`): `{"f:spec": {"f:replicas": {}}}` has one member,
`.spec.replicas`. An element without anything below it is a member; one with something below it is
a member too if it has the entry ".". Sets are never changed once they are handed out and share
what is equal. https://pkg.go.dev/sigs.k8s.io/structured-merge-diff/v6/fieldpath#Set
"""

from collections.abc import Iterator, Sequence
from typing import Any

from hourglass_simulator.apiserver.managedfields import fieldpath

FieldSet = dict[str, Any]

SELF = "."
_MEMBER: FieldSet = {SELF: {}}
EMPTY: FieldSet = {}


def insert(fields: FieldSet, path: Sequence[str]) -> None:
    """Make a path a member of a set that is being built; the empty path is none."""
    if not path:
        return
    *parents, last = path
    for element in parents:
        below = fields.get(element)
        if below is None:
            below = fields[element] = {}
        elif not below:
            below[SELF] = {}
        fields = below
    found = fields.get(last)
    if found is None:
        fields[last] = {}
    elif found:
        found[SELF] = {}


def has(fields: FieldSet, path: Sequence[str]) -> bool:
    """Whether a path is a member."""
    found: FieldSet | None = fields
    for element in path:
        if found is None:
            return False
        found = found.get(element)
    return found is not None and is_member(found)


def is_member(below: FieldSet) -> bool:
    """Whether an element with this below it is a member itself."""
    return not below or SELF in below


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    """What is in either."""
    if not other or one is other:
        return one
    if not one:
        return other
    return _ordered(_union(one, other))


def _union(one: FieldSet, other: FieldSet) -> FieldSet:
    result = dict(one)
    for element, theirs in other.items():
        if element not in one:
            result[element] = theirs
        elif element != SELF:
            mine = one[element]
            if mine is not theirs and (mine or theirs):
                result[element] = _union(mine or _MEMBER, theirs or _MEMBER)
    return result


def intersection(one: FieldSet, other: FieldSet) -> FieldSet:
    """What is in both."""
    if one is other:
        return one
    result: FieldSet = {}
    for element, mine in one.items():
        theirs = other.get(element)
        if theirs is None:
            continue
        if element == SELF:
            result[SELF] = {}
            continue
        below = intersection(mine or _MEMBER, theirs or _MEMBER)
        if below:
            result[element] = _bare(below)
    return result


def difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """What is in `one` and not in `other`; `one` itself when that is all of it."""
    if not other:
        return one
    return _difference(one, other, recursive=False)


def recursive_difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """What is in `one`, and neither in `other` nor below a member of it."""
    if not other:
        return one
    return _difference(one, other, recursive=True)


def _difference(one: FieldSet, other: FieldSet, *, recursive: bool) -> FieldSet:
    result: FieldSet = {}
    changed = False
    for element, mine in one.items():
        theirs = other.get(element)
        if theirs is None:
            result[element] = mine
            continue
        if element == SELF or (recursive and is_member(theirs)):
            changed = True
            continue
        whole = mine or _MEMBER
        rest = _difference(whole, theirs or _MEMBER, recursive=recursive)
        if rest is whole:
            result[element] = mine
            continue
        changed = True
        if rest:
            result[element] = _bare(rest)
    return result if changed else one


def paths(fields: FieldSet) -> Iterator[tuple[str, ...]]:
    """The members: those of each level before those below it, in the order of path elements."""
    yield from _paths(fields, ())


def _paths(fields: FieldSet, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    elements = sorted((e for e in fields if e != SELF), key=fieldpath.order)
    for element in elements:
        if is_member(fields[element]):
            yield (*above, element)
    for element in elements:
        yield from _paths(fields[element], (*above, element))


def _ordered(fields: FieldSet) -> FieldSet:
    if len(fields) < 2:
        return {element: _ordered(below) if below else below for element, below in fields.items()}
    return {
        element: _ordered(fields[element]) if fields[element] else fields[element]
        for element in sorted(fields)
    }


def decoded(value: Any) -> FieldSet:
    """A set that a client has sent, in the one form of each element.

    Elements of unknown types are dropped. Errors: ValueError.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {type(value).__name__}")
    result: FieldSet = {}
    for text, below in value.items():
        element = SELF if text == SELF else fieldpath.parsed(text)
        if element is not None:
            result[element] = {} if element == SELF else decoded(below)
    return _bare(result)


def _bare(fields: FieldSet) -> FieldSet:
    """A lone entry for the element itself is written as nothing below it."""
    return {} if len(fields) == 1 and SELF in fields else fields
