"""What is peculiar to a resource when its objects are created, changed and deleted.

https://pkg.go.dev/k8s.io/apiserver/pkg/registry/rest#RESTCreateStrategy
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from hourglass_kube.mergepatch import same
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.codec import Decoded
from hourglass_simulator.apiserver.decoding import decode
from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet
from hourglass_simulator.apiserver.managedfields.reset_fields import reset_fields
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.rules import declared, object_meta
from hourglass_simulator.apiserver.rules.kinds import RULES
from hourglass_simulator.apiserver.schema_error import FieldError
from hourglass_simulator.apiserver.users import User
from hourglass_simulator.kubernetes.version import Version


class Strategy:
    """What all resources have in common; they may have a spec and a status."""

    trusts_components = False
    """Objects of the simulator's own components are stored without being decoded."""

    def __init__(self, resource: Resource, version: Version) -> None:
        self.resource = resource
        self.version = version

    def create(self, obj: JSON) -> JSON:
        """The object to store, defaults written."""
        return obj

    def decode(self, obj: JSON, *, truncates: bool = False) -> Decoded:
        """A client's object as Go would print it, and its fields that the kind does not know.

        `truncates`: whole numbers that do not fit lose their upper bits.
        """
        return decode(self.version, self.resource, obj, truncates=truncates)

    def defaulted(self, obj: JSON) -> JSON:
        """A decoded object with its kind's defaults: what its writer owns, nothing allocated."""
        return obj

    def restored(self, obj: JSON) -> JSON:
        """A decoded object of another server, complete and with its status."""
        return self.defaulted(obj)

    def noted(self, obj: JSON, old: JSON | None, user: User, timestamp: str) -> JSON:  # noqa: ARG002
        """The object with what the server notes of a request: who made it, and when."""
        return obj

    def created(self, obj: JSON) -> None:
        """Note what has been stored."""

    def faults(self, new: JSON, old: JSON | None, subresource: str = "") -> Iterable[FieldError]:
        """What is wrong with a prepared object, () if nothing is; `old` is None when it is new."""
        with gates.Following(self.version):
            found = list(self._faults(new, old, subresource))
        if not found:
            return ()
        plural = "" if self.resource.custom else self.resource.plural
        return declared.reworded(self.version, plural, found)

    def _faults(self, new: JSON, old: JSON | None, subresource: str) -> Iterator[FieldError]:
        plural = self.resource.plural
        rules = None if self.resource.custom else RULES.get(plural)
        if old is None:
            if rules is not None:
                return rules.created(new)
            return object_meta.created(plural, new["metadata"])
        meta, before = new["metadata"], old["metadata"]
        if rules is not None:
            found = rules.faults(new, old, subresource)
        else:
            found = object_meta.updated(meta, before, "" if self.resource.custom else plural)
        return chain(object_meta.common(meta, before), found)

    def warnings(self, new: JSON, old: JSON | None, subresource: str = "") -> list[str]:
        """What is said of an object that nothing is wrong with; each once."""
        rules = None if self.resource.custom else RULES.get(self.resource.plural)
        if rules is None or subresource:
            return []
        return list(dict.fromkeys(rules.warns(new, old)))

    def tolerated(self, new: JSON, old: JSON) -> list[str]:  # noqa: ARG002
        """What is said of values that are wrong, but not refused as they are unchanged.

        It is said before the object is validated, also of one that is refused then.
        """
        return []

    def differs(self, new: JSON, old: JSON) -> bool:
        """Whether an update is a new generation."""
        return not all(
            same(new.get(field), old.get(field)) for field in {**old, **new} if _counts(field)
        )

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The object to store in the place of `old`."""
        if subresource == "status":
            return _restored(new, old, reset_fields(self.resource, subresource, self.version))
        if "status" in self.resource.subresources:
            return kept(new, "status", old)
        return new

    def updated(self, new: JSON, old: JSON) -> None:
        """Note what has been stored in the place of `old`."""

    def deleted(self, obj: JSON) -> None:
        """Note what is gone."""

    def delete(self, obj: JSON, timestamp: str) -> JSON | None:  # noqa: ARG002
        """The object to store instead of deleting it; None when it can be deleted."""
        return None

    def finished(self, new: JSON, old: JSON) -> bool:
        """Whether an update removes what kept a deleted object."""
        before = old["metadata"]
        return (
            "deletionTimestamp" in before
            and not new["metadata"].get("finalizers")
            and not before.get("deletionGracePeriodSeconds")
        )

    def grace_period(self, obj: JSON, requested: int | None) -> int | None:  # noqa: ARG002
        """Seconds until the object is gone; None when it is deleted without grace."""
        return None


def _restored(new: JSON, old: JSON, fields: FieldSet) -> JSON:
    """`new` with fields as `old` has them."""
    for element, below in fields.items():
        name = element.removeprefix("f:")
        if name in old and new.get(name) is old[name]:
            continue
        if not below or name not in new:
            new = kept(new, name, old)
        else:
            new = {**new, name: _restored(new[name], old.get(name) or {}, below)}
    return new


def _counts(field: str) -> bool:
    return field not in ("metadata", "status")


def kept(obj: JSON, field: str, source: JSON) -> JSON:
    """`obj` with a field as `source` has it, or without it when that has none."""
    if field in source:
        return obj if obj.get(field) is source[field] else {**obj, field: source[field]}
    return {name: value for name, value in obj.items() if name != field} if field in obj else obj
