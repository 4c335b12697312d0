"""Objects trimmed to what decisions read: 10,000 Performers must fit into little memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from hourglass_kube import time
from hourglass_operator.api import PerformerSpec, PerformerStatus
from hourglass_operator.controller.packed import packed, unpacked

JSON = Mapping[str, Any]
Key = tuple[str, str]
"""Namespace and name of a Performer."""


@dataclass(frozen=True, slots=True)
class PerformerView:
    """A Performer; spec and status stay packed, which is smaller than objects.

    Times are seconds since the Unix epoch. `version` is the resourceVersion.
    """

    namespace: str
    name: str
    uid: str
    version: str
    generation: int
    created: float
    deleted: float | None
    finalizers: tuple[str, ...]
    packed_spec: bytes
    packed_status: bytes
    phase: str = ""
    ready_reason: str = ""

    def spec(self) -> PerformerSpec:
        """The spec; raises pydantic.ValidationError if it is none."""
        return PerformerSpec.model_validate_json(unpacked(self.packed_spec))

    def status(self) -> PerformerStatus:
        """The stored status."""
        return PerformerStatus.model_validate_json(unpacked(self.packed_status))


def performer_view(performer: JSON) -> PerformerView:
    """Trim a Performer."""
    meta = performer["metadata"]
    return PerformerView(
        namespace=intern(meta["namespace"]),
        name=intern(meta["name"]),
        uid=intern(meta["uid"]),
        version=meta.get("resourceVersion", ""),
        generation=meta.get("generation", 0),
        created=seconds(meta.get("creationTimestamp")) or 0.0,
        deleted=seconds(meta.get("deletionTimestamp")),
        finalizers=tuple(map(intern, meta.get("finalizers") or ())),
        packed_spec=packed(performer.get("spec") or {}),
        packed_status=packed(performer.get("status") or {}),
        phase=intern((performer.get("status") or {}).get("phase") or ""),
        ready_reason=next(
            (
                intern(c["reason"])
                for c in (performer.get("status") or {}).get("conditions") or ()
                if c["type"] == "Ready"
            ),
            "",
        ),
    )


@dataclass(frozen=True, slots=True)
class EndpointsView:
    """The pods that one EndpointSlice lists as ready endpoints."""

    name: str
    ready: tuple[str, ...]


def endpoints_view(endpoint_slice: JSON) -> EndpointsView:
    """Trim an EndpointSlice; a missing `ready` means ready, as the API documents."""
    ready = [
        intern(endpoint["targetRef"]["name"])
        for endpoint in endpoint_slice.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready", True)
        and (endpoint.get("targetRef") or {}).get("kind") == "Pod"
    ]
    return EndpointsView(intern(endpoint_slice["metadata"]["name"]), tuple(sorted(ready)))


def seconds(text: str | None) -> float | None:
    """A metav1.Time as seconds since the Unix epoch."""
    return time.parse(text).timestamp() if text else None


def timestamp(moment: float) -> str:
    """Seconds since the Unix epoch as metav1.Time prints them."""
    return time.from_seconds(moment)
