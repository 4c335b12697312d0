"""How entries change when an object is written, and what an applier's object becomes.

https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/merge/update.go
"""

from collections.abc import Collection
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


@dataclass(frozen=True, slots=True)
class Updater:
    """For objects of one type that are written in one version.

    `versions`: those that entries may be of, all of them with the same fields; entries of others
    are dropped. `reset`: what such a write cannot change. `is_fixed`: the type never changes.
    """

    known: Type
    version: str
    versions: Collection[str]
    reset: FieldSet
    is_fixed: bool

    def update(self, live: Any, new: Any, found: Entries, key: str, entry: Entry) -> Entries:
        """The entries after an update from `live` to `new` by `entry`, known by `key`."""
        found = self._reconciled(found)
        comparison = compare(live, new, self.known).without(self.reset)
        left = self._taken(found, comparison, key, force=True)
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
        if last is not None and last.fields and last.version in self.versions:
            new = self._pruned(new, found, last.fields)
        comparison = compare(live, new, self.known).without(self.reset)
        left = self._taken(found, comparison, key, force=force)
        return (None if equal(live, new) else new), left

    def _reconciled(self, found: Entries) -> Entries:
        if self.is_fixed:
            return found
        return {
            key: entry.with_fields(reconciled(entry.fields, self.known))
            if entry.version in self.versions
            else entry
            for key, entry in found.items()
        }

    def _taken(self, found: Entries, done: Comparison, key: str, *, force: bool) -> Entries:
        """The entries without what others have changed or removed."""
        written, conflicts = done.written, {}
        left: Entries = {}
        for name, entry in found.items():
            if name == key:
                left[name] = entry
            elif entry.version in self.versions:
                if clash := fieldset.intersection(entry.fields, written):
                    conflicts[name] = clash
                fields = fieldset.difference(entry.fields, conflicts.get(name, fieldset.EMPTY))
                left[name] = entry.with_fields(fieldset.difference(fields, done.removed))
        if conflicts and not force:
            raise ConflictsError(conflicts)
        return {name: entry for name, entry in left.items() if entry.fields}

    def _pruned(self, new: Any, found: Entries, last: FieldSet) -> Any:
        """Without what the applier has applied before and does not now, and nobody else owns."""
        pruned = without(new, with_named_parents(last, self.known), self.known)
        owned: FieldSet = {}
        for entry in found.values():
            if entry.version in self.versions:
                owned = fieldset.union(owned, entry.fields)
        pruned = self._removed(new, pruned, with_named_parents(owned, self.known))
        # What the applier did not own stays.
        has = with_named_parents(fields_of(new, self.known), self.known)
        left = with_named_parents(self._fields(pruned), self.known)
        gone = fieldset.difference(has, left)
        mine = fieldset.intersection(gone, with_named_parents(last, self.known))
        return without(new, mine, self.known)

    def _removed(self, new: Any, pruned: Any, owned: FieldSet) -> Any:
        """`new` without what is gone from `pruned`, but for what is owned."""
        has = with_named_parents(fields_of(new, self.known), self.known)
        left = with_named_parents(self._fields(pruned), self.known)
        return without(new, fieldset.difference(has, fieldset.union(left, owned)), self.known)

    def _fields(self, value: Any) -> FieldSet:
        return {} if value is None else fields_of(value, self.known)


def _with(found: Entries, key: str, entry: Entry) -> Entries:
    """The entries with one more, or without it when it owns nothing."""
    if entry.fields:
        return {**found, key: entry}
    return {name: each for name, each in found.items() if name != key}
