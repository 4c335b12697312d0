"""What is peculiar to a resource when its objects are created, changed and deleted.

https://pkg.go.dev/k8s.io/apiserver/pkg/registry/rest#RESTCreateStrategy
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import object_meta
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import FieldError


class Strategy:
    """A resource of which nothing is peculiar; it may have a spec and a status."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    def create(self, obj: JSON) -> JSON:
        """The object to store, defaults written."""
        return obj

    def refuse_unknown_fields(self, obj: JSON) -> None:
        """Raise 400 for them; without a schema none are known to be unknown."""

    def created(self, obj: JSON) -> None:
        """Note what has been stored."""

    def faults(self, new: JSON, old: JSON | None) -> Iterator[FieldError]:
        """What is wrong with a prepared object; `old` is None when it is created."""
        if old is None:
            yield from object_meta.created(self.resource.plural, new["metadata"])
        elif new["metadata"] is not old["metadata"]:
            faults = list(object_meta.updated(new["metadata"], old["metadata"]))
            # The real server validates the metadata of an update twice, and reports it twice.
            yield from faults
            yield from faults

    def differs(self, new: JSON, old: JSON) -> bool:
        """Whether an update is a new generation."""
        return any(new.get(field) != old.get(field) for field in {**old, **new} if _counts(field))

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The object to store in the place of `old`."""
        if subresource == "status":
            return kept(new, "spec", old)
        if "status" in self.resource.subresources:
            return kept(new, "status", old)
        return new

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


def _counts(field: str) -> bool:
    return field not in ("metadata", "status")


def kept(obj: JSON, field: str, source: JSON) -> JSON:
    """`obj` with a field as `source` has it, or without it when that has none."""
    if field in source:
        return obj if obj.get(field) is source[field] else {**obj, field: source[field]}
    return {name: value for name, value in obj.items() if name != field} if field in obj else obj
