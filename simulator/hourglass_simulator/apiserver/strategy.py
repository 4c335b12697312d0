"""What is peculiar to a resource when its objects are created, changed and deleted.

https://pkg.go.dev/k8s.io/apiserver/pkg/registry/rest#RESTCreateStrategy
"""

from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.watch import JSON


class Strategy:
    """A resource of which nothing is peculiar; it may have a spec and a status."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    def create(self, obj: JSON) -> JSON:
        """The object to store: defaults written; APIError 422 when it is invalid."""
        return obj

    def created(self, obj: JSON) -> None:
        """Note what has been stored."""

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The object to store in the place of `old`; APIError 422 when it is invalid."""
        if subresource == "status":
            return kept(new, "spec", old)
        if "status" in self.resource.subresources:
            return kept(new, "status", old)
        return new

    def updated(self, obj: JSON) -> None:
        """Note what has been stored."""

    def deleted(self, obj: JSON) -> None:
        """Note what is gone."""

    def grace_period(self, obj: JSON, requested: int | None) -> int | None:  # noqa: ARG002
        """Seconds until the object is gone; None when it is deleted without grace."""
        return None


def kept(obj: JSON, field: str, source: JSON) -> JSON:
    """`obj` with a field as `source` has it, or without it when that has none."""
    if field in source:
        return obj if obj.get(field) is source[field] else {**obj, field: source[field]}
    return {name: value for name, value in obj.items() if name != field} if field in obj else obj
