"""How entries change when an object is written, and what an applier's object becomes.

https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/merge/update.go
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hourglass_simulator.apiserver.managedfields import fieldset
from hourglass_simulator.apiserver.managedfields.compare import Comparison, compare
from hourglass_simulator.apiserver.managedfields.entries import Entries, Entry
from hourglass_simulator.apiserver.managedfields.fields_of import fields_of, with_named_parents
from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet
from hourglass_simulator.apiserver.managedfields.merge import merged
from hourglass_simulator.apiserver.managedfields.reconcile import reconciled
from hourglass_simulator.apiserver.managedfields.remove import without
from hourglass_simulator.apiserver.managedfields.schema import Type
from hourglass_simulator.apiserver.managedfields.typed import equal


class ConflictsError(Exception):
    """Fields of others that an applier wants to be otherwise, by the identifier of their entry."""

    def __init__(self, found: dict[str, FieldSet]) -> None:
        super().__init__()
        self.found = found


def unconverted(value: Any, version: str, wanted: str) -> Any:  # noqa: ARG001
    """The conversion between versions that have the same fields."""
    return value


@dataclass(frozen=True, slots=True)
class Updater:
    """For objects that are written in one version.

    `types`: those of the versions that entries may be of; entries of others are dropped. `convert`
    makes a value of one version one of another. `reset`: what such a write cannot change.
    `is_fixed`: the types never change.
    """

    version: str
    types: Mapping[str, Type]
    convert: Callable[[Any, str, str], Any]
    reset: FieldSet
    is_fixed: bool

    @property
    def known(self) -> Type:
        """The type of what is written."""
        return self.types[self.version]

    def update(self, live: Any, new: Any, found: Entries, key: str, entry: Entry) -> Entries:
        """The entries after an update from `live` to `new` by `entry`, known by `key`."""
        found = self._reconciled(found)
        comparison = compare(live, new, self.known).without(self.reset)
        left = self._taken(found, live, new, comparison, key, force=True)
        mine = left.get(key, entry)
        fields = fieldset.difference(mine.fields, comparison.removed)
        fields = fieldset.union(fields, comparison.written)
        fields = fieldset.recursive_difference(fields, self.reset)
        return _with(left, key, entry.with_fields(fields))

    def apply(
        self, live: Any, wanted: Any, found: Entries, key: str, entry: Entry, *, force: bool
    ) -> tuple[Any, Entries]:
        """The object, or None when it is as it was, and the entries after an apply.

        ConflictsError for fields of others, unless forced.
        """
        found = self._reconciled(found)
        last = found.get(key)
        new = merged(live, wanted, self.known)
        fields = fieldset.recursive_difference(fields_of(wanted, self.known), self.reset)
        found = {**found, key: entry.with_fields(fields)}
        if last is not None and last.fields and last.version in self.types:
            new = self._pruned(new, found, last)
        comparison = compare(live, new, self.known).without(self.reset)
        left = self._taken(found, live, new, comparison, key, force=force)
        return (None if equal(live, new) else new), left

    def _reconciled(self, found: Entries) -> Entries:
        if self.is_fixed:
            return found
        return {
            key: entry.with_fields(reconciled(entry.fields, self.types[entry.version]))
            if entry.version in self.types
            else entry
            for key, entry in found.items()
        }

    def _taken(
        self, found: Entries, live: Any, new: Any, done: Comparison, key: str, *, force: bool
    ) -> Entries:
        """The entries without what others have changed or removed; `done` is the difference."""
        differences = {self.version: done}
        conflicts, left = dict[str, FieldSet](), Entries()
        for name, entry in found.items():
            if name == key:
                left[name] = entry
            elif entry.version in self.types:
                if entry.version not in differences:
                    differences[entry.version] = self._difference(live, new, entry.version)
                there = differences[entry.version]
                if clash := fieldset.intersection(entry.fields, there.written):
                    conflicts[name] = clash
                fields = fieldset.difference(entry.fields, conflicts.get(name, fieldset.EMPTY))
                left[name] = entry.with_fields(fieldset.difference(fields, there.removed))
        if conflicts and not force:
            raise ConflictsError(conflicts)
        return {name: entry for name, entry in left.items() if entry.fields}

    def _difference(self, live: Any, new: Any, version: str) -> Comparison:
        """The difference as another version has it."""
        old = self.convert(live, self.version, version)
        changed = self.convert(new, self.version, version)
        return compare(old, changed, self.types[version]).without(self.reset)

    def _pruned(self, new: Any, found: Entries, last: Entry) -> Any:
        """Without what the applier has applied before and does not now, and nobody else owns."""
        version = last.version
        merged, known = self.convert(new, self.version, version), self.types[version]
        pruned = without(merged, with_named_parents(last.fields, known), known)
        owned: dict[str, FieldSet] = {version: {}}
        for entry in found.values():
            if entry.version in self.types:
                before = owned.get(entry.version, fieldset.EMPTY)
                owned[entry.version] = fieldset.union(before, entry.fields)
        has = merged
        for other, fields in owned.items():
            known = self.types[other]
            has = self.convert(has, version, other)
            pruned = self.convert(pruned, version, other)
            version = other
            pruned = self._removed(has, pruned, with_named_parents(fields, known), known)
        # What the applier did not own stays.
        known = self.types[last.version]
        pruned = self.convert(pruned, version, last.version)
        gone = fieldset.difference(_members(merged, known), _members(pruned, known))
        mine = fieldset.intersection(gone, with_named_parents(last.fields, known))
        return self.convert(without(merged, mine, known), last.version, self.version)

    def _removed(self, new: Any, pruned: Any, owned: FieldSet, known: Type) -> Any:
        """`new` without what is gone from `pruned`, but for what is owned."""
        left = fieldset.union(_members(pruned, known), owned)
        return without(new, fieldset.difference(_members(new, known), left), known)


def _members(value: Any, known: Type) -> FieldSet:
    """The fields of a value, with the parents that are there by name."""
    return with_named_parents({} if value is None else fields_of(value, known), known)


def _with(found: Entries, key: str, entry: Entry) -> Entries:
    """The entries with one more, or without it when it owns nothing."""
    if entry.fields:
        return {**found, key: entry}
    return {name: each for name, each in found.items() if name != key}
