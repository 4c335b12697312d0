"""managedFields of the objects of one resource: what each write does to them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/fieldmanager.go
"""

from collections.abc import Callable, Mapping
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.managedfields import entries, fieldset, last_applied
from hourglass_simulator.apiserver.managedfields.conflicts import conflict_error
from hourglass_simulator.apiserver.managedfields.entries import APPLY, UPDATE, Entries, Entry
from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet
from hourglass_simulator.apiserver.managedfields.schema import Type
from hourglass_simulator.apiserver.managedfields.typed import ABSENT, SchemaError
from hourglass_simulator.apiserver.managedfields.updater import (
    ConflictsError,
    Updater,
    unconverted,
)
from hourglass_simulator.apiserver.managedfields.validate import validate

MAX_UPDATERS = 10
"""Entries of updates that are kept apart; older ones become one."""
_ANCIENT = "ancient-changes"
_BEFORE_FIRST_APPLY = "before-first-apply"
_UNKNOWN = "unknown"
_NOW = "current-operation"
_KUBECTL = "kubectl"
_SERVER_OWNED: FieldSet = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        ".": {},
        **{
            f"f:{name}": {}
            for name in (
                "clusterName",
                "creationTimestamp",
                "generation",
                "managedFields",
                "name",
                "namespace",
                "resourceVersion",
                "selfLink",
                "uid",
            )
        },
    },
}


class FieldManager:
    """For writes to objects in `version`, or to a subresource of them.

    `zero`: an object of the kind with nothing in it. `types`, `convert`, `reset` and `is_fixed` as
    in `Updater`. `shown` is how stored objects are in the version. `refuses_strange`: entries that
    a client sends for a version that is not served are left aside, as since 1.37; before, the
    object was no longer tracked.
    """

    def __init__(
        self,
        version: str,
        kind: str,
        *,
        zero: JSON,
        types: Mapping[str, Type],
        reset: FieldSet,
        is_fixed: bool,
        convert: Callable[[Any, str, str], Any] = unconverted,
        shown: Callable[[JSON], JSON] = lambda stored: stored,
        subresource: str = "",
        refuses_strange: bool = False,
    ) -> None:
        self._known = types[version]
        self._version = version
        self._kind = kind
        self._zero = zero
        self._subresource = subresource
        self._shown = shown
        self._types = types
        self._refuses_strange = refuses_strange
        self._updater = Updater(version, types, convert, reset, is_fixed)

    def update(self, live: JSON | None, new: JSON, sent: Any, manager: str, now: str) -> list[JSON]:
        """The managedFields of `new`, which is written over `live` (None: is created).

        Both are as they are stored.
        `sent`: those that the client has sent, ABSENT if none. They are dropped when an object
        does not fit its type, as on a real server.
        """
        stored = _stored(live)
        found = self._begun(stored, sent)
        if found is None:
            return []
        if not found and live is not None:
            # What is not tracked since its creation is tracked from the first apply on.
            return []
        before = self._zero if live is None else self._shown(_bare(live))
        try:
            left = self._updated(before, self._shown(_bare(new)), found, manager, now)
        except SchemaError:
            return []
        return _encoded(_capped(left), stored)

    def _begun(self, stored: list[JSON], sent: Any) -> Entries | None:
        """The entries to begin with; None to have none any more."""
        if sent is ABSENT or sent is stored or self._subresource:
            return entries.decoded(stored)
        if sent in ([], [{}]):
            return {}
        try:
            found = entries.decoded_from_client(sent) or entries.decoded(stored)
        except ValueError:
            return entries.decoded(stored)
        is_strange = any(entry.version not in self._types for entry in found.values())
        return entries.decoded(stored) if self._refuses_strange and is_strange else found

    def _updated(self, live: Any, new: Any, found: Entries, manager: str, now: str) -> Entries:
        """The entries after an update."""
        entry = self._entry(manager, UPDATE)
        left = self._updater.update(live, new, found, _NOW, entry)
        mine = left.pop(_NOW, None)
        if mine is None:
            return left
        fields = fieldset.difference(mine.fields, _SERVER_OWNED)
        if not fields:
            return left
        key = self._key(manager, UPDATE)
        previous = left.get(key)
        if previous is not None:
            fields = fieldset.union(fields, previous.fields)
        return {**left, key: entry.with_fields(fields).at(now)}

    def apply(
        self, live: JSON | None, wanted: JSON, manager: str, now: str, *, force: bool
    ) -> tuple[JSON, list[JSON]]:
        """The object with what is applied, in the version of `wanted`, and its managedFields.

        400 for an object of another kind, 409 for fields of others, 500 as on the real server for
        what does not fit the type.
        """
        self._require_kind(wanted)
        before = self._zero if live is None else self._shown(_bare(live))
        stored = _stored(live)
        found = entries.decoded(stored)
        if not found and live is not None:
            found = self._updated(self._zero, before, {}, _BEFORE_FIRST_APPLY, now)
        try:
            new, left = self._applied(before, wanted, found, manager, force=force)
        except ConflictsError as conflicts:
            if manager != _KUBECTL:
                raise conflict_error(conflicts.found, found) from None
            allowed = last_applied.owned(before, self._known, self._version)
            rest = {
                name: clash
                for name, fields in conflicts.found.items()
                if (clash := fieldset.difference(fields, allowed))
            }
            if rest:
                raise conflict_error(rest, found) from None
            new, left = self._applied(before, wanted, found, manager, force=True)
        key = self._key(manager, APPLY)
        if new is not None and key in left:
            left[key] = left[key].at(now)
        result = before if new is None else new
        if manager == _KUBECTL:
            result = last_applied.synchronized(result, wanted)
        return result, _encoded(left, stored)

    def _applied(
        self, live: JSON, wanted: JSON, found: Entries, manager: str, *, force: bool
    ) -> tuple[Any, Entries]:
        self._require_typed(wanted)
        key, entry = self._key(manager, APPLY), self._entry(manager, APPLY)
        since = found.get(key)
        if since is not None:
            entry = entry.at(since.time)
        new, left = self._updater.apply(live, wanted, found, key, entry, force=force)
        if key in left:
            fields = fieldset.difference(left[key].fields, _SERVER_OWNED)
            if fields:
                left = {**left, key: left[key].with_fields(fields)}
            else:
                del left[key]
        return new, left

    def _require_kind(self, wanted: JSON) -> None:
        version, kind = str(wanted.get("apiVersion") or ""), str(wanted.get("kind") or "")
        if (version, kind) != (self._version, self._kind):
            raise errors.bad_request(f"invalid object type: {_group_version(version)}, Kind={kind}")

    def _require_typed(self, wanted: JSON) -> None:
        meta = wanted.get("metadata")
        if isinstance(meta, dict) and meta.get("managedFields") is not None:
            raise errors.bad_request("metadata.managedFields must be nil")
        try:
            validate(wanted, self._known)
        except SchemaError as error:
            what = f"failed to create typed patch object ({self.described(wanted)})"
            raise errors.internal(f"{what}: {error}") from None

    def described(self, obj: JSON) -> str:
        """Namespace, name and kind of an object, as messages have them."""
        meta = obj.get("metadata")
        meta = meta if isinstance(meta, dict) else {}
        named = f"{meta.get('namespace') or ''}/{meta.get('name') or ''}"
        return f"{named}; {_group_version(self._version)}, Kind={self._kind}"

    def _key(self, manager: str, operation: str) -> str:
        return entries.identifier(manager or _UNKNOWN, operation, self._version, self._subresource)

    def _entry(self, manager: str, operation: str) -> Entry:
        return Entry(manager or _UNKNOWN, operation, self._version, self._subresource, {})


def _group_version(version: str) -> str:
    return version if "/" in version else f"/{version}"


def _stored(live: JSON | None) -> list[JSON]:
    if live is None:
        return []
    found: list[JSON] = live["metadata"].get("managedFields") or []
    return found


def _bare(obj: JSON) -> JSON:
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {k: v for k, v in meta.items() if k != "managedFields"}}


def _encoded(found: Entries, stored: list[JSON]) -> list[JSON]:
    """The entries as they are stored; those that are stored, when they are the same."""
    new = entries.encoded(found)
    same = len(new) == len(stored) and all(
        mine is theirs for mine, theirs in zip(new, stored, strict=True)
    )
    return stored if same else new


def _capped(found: Entries) -> Entries:
    """At most so many entries of updates: the oldest of a version become one.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/capmanagers.go
    """
    updaters = [key for key, entry in found.items() if not entry.applied]
    excess = len(updaters) - MAX_UPDATERS
    if excess <= 0:
        return found
    left = dict(found)
    first: dict[str, str] = {}
    for key in sorted(updaters, key=lambda name: (found[name].time, name)):
        if excess == 0:
            break
        entry = found[key]
        if entry.version not in first:
            first[entry.version] = key
            continue
        bucket = entries.identifier(_ANCIENT, UPDATE, entry.version, "")
        oldest = left.get(bucket) or left.pop(first[entry.version])
        del left[key]
        fields = fieldset.union(entry.fields, oldest.fields)
        left[bucket] = Entry(_ANCIENT, UPDATE, entry.version, "", fields, entry.time)
        excess -= 1
    return left
