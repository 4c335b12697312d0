"""What is refused of an object after somebody has applied something to it."""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, go_format, validation
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.resources import Resource


def require_addressed(
    resource: Resource, new: JSON, namespace: str, name: str, old: JSON | None
) -> None:
    """400 when the object is not the one of the request, 409 for one that is not there."""
    meta = new.get("metadata") or {}
    if old is None and meta.get("uid"):
        why = f"uid mismatch: the provided object specified uid {meta['uid']}, "
        raise errors.conflict(resource, name, f"{why}and no existing object was found")
    validation.namespace(resource, meta, namespace)
    validation.name(meta, name)


def not_converted(described: str, why: str) -> APIError:
    """500, as on a real server, for an object that does not become one of its Go type."""
    kind = described.partition("; ")[2]
    what = f"failed to convert new object ({described}) to proper version: "
    what += f"unable to convert unstructured object to {kind}: "
    return errors.internal(what + go_format.restored(why))
