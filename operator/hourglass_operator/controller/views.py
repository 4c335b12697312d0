"""Objects trimmed to what decisions read: 10,000 Performers must fit into little memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from sys import intern
from typing import Any, Protocol, TypeVar

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerStatus
from hourglass_operator.controller.compression import compress, decompress, to_json
from hourglass_operator.resources import names
from hourglass_operator.resources.owner import owner_uid

Key = tuple[str, str]
"""Namespace and name of a Performer."""


class _Named(Protocol):
    """A view of an object that has a name."""

    @property
    def name(self) -> str:
        """The object's name."""
        ...


V = TypeVar("V", bound=_Named)

_SETTLED = ("Running", "Failed")
"""Phases in which a Performer may stay for long."""


@dataclass(frozen=True, slots=True)
class PerformerView:
    """A Performer; times are seconds since the Unix epoch, `version` is the resourceVersion.

    Spec and status stay JSON, which is smaller than objects. Both are compressed once the status
    says that the Performer has settled. `phase` and `ready_reason` (the reason of the condition
    Ready) are those of the stored status, empty if it has none. `replaced` and `moved` name
    pods that somebody wants to be succeeded, `moved` on another node; empty if nobody does.
    """

    namespace: str
    name: str
    uid: str
    version: str
    generation: int
    created: float
    deleted: float | None
    finalizers: tuple[str, ...]
    replaced: str
    moved: str
    phase: str
    ready_reason: str
    stored_spec: bytes
    stored_status: bytes

    def status(self) -> PerformerStatus:
        """The stored status; without any field if it cannot be read."""
        return parse_status(self.stored_status)[0]

    def parsed_status(self) -> tuple[PerformerStatus, Mapping[str, Any]]:
        """The stored status, and as JSON those of its fields that have a value."""
        return parse_status(self.stored_status)


def performer_view(performer: Mapping[str, Any]) -> PerformerView:
    """Trim a Performer."""
    meta = performer["metadata"]
    generation, status = meta.get("generation", 0), performer.get("status") or {}
    spec, stored = to_json(performer.get("spec") or {}), to_json(status)
    annotations = meta.get("annotations") or {}
    phase = _text(status, "phase")
    if phase in _SETTLED and status.get("observedGeneration") == generation:
        spec, stored = compress(spec), compress(stored)
    return PerformerView(
        namespace=intern(meta["namespace"]),
        name=intern(meta["name"]),
        uid=intern(meta["uid"]),
        version=meta.get("resourceVersion", ""),
        generation=generation,
        created=seconds(meta.get("creationTimestamp")) or 0.0,
        deleted=seconds(meta.get("deletionTimestamp")),
        finalizers=tuple(map(intern, meta.get("finalizers") or ())),
        replaced=intern(annotations.get(names.REPLACED, "")),
        moved=intern(annotations.get(names.MOVED, "")),
        phase=phase,
        ready_reason=_ready_reason(status),
        stored_spec=spec,
        stored_status=stored,
    )


@lru_cache(maxsize=256)
def parse_status(stored: bytes) -> tuple[PerformerStatus, JSON]:
    """A status as PerformerView stores it, and as JSON those of its fields that have a value.

    One that does not validate counts as empty, and the operator writes it anew: its JSON stays, so
    that the patch removes whatever was wrong.
    """
    text = decompress(stored)
    try:
        status = PerformerStatus.model_validate_json(text)
        for moment in (status.progress_start_time, status.last_upgrade, status.ready_time):
            seconds(moment)
    except ValueError:
        return PerformerStatus(), json.loads(text)
    fields = status.model_dump(by_alias=True, exclude_none=True, mode="json")
    if not fields["conditions"]:
        del fields["conditions"]
    return status, fields


def _ready_reason(status: Mapping[str, Any]) -> str:
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else ():
        if isinstance(condition, dict) and condition.get("type") == "Ready":
            return _text(condition, "reason")
    return ""


def _text(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    return intern(text) if isinstance(text, str) else ""


@dataclass(frozen=True, slots=True)
class EndpointsView:
    """The pods that one EndpointSlice lists as ready endpoints; `owner` is as in `owner_uid`."""

    name: str
    owner: str
    ready: tuple[str, ...]


def endpoints_view(endpoint_slice: Mapping[str, Any]) -> EndpointsView:
    """Trim an EndpointSlice; a missing `ready` means ready, as the API documents."""
    ready = [
        intern(endpoint["targetRef"]["name"])
        for endpoint in endpoint_slice.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready", True)
        and (endpoint.get("targetRef") or {}).get("kind") == "Pod"
    ]
    meta = endpoint_slice["metadata"]
    return EndpointsView(intern(meta["name"]), owner_uid(meta), tuple(sorted(ready)))


def seconds(text: str | None) -> float | None:
    """A metav1.Time as seconds since the Unix epoch."""
    return time.parse(text).timestamp() if text else None


def timestamp(moment: float) -> str:
    """Seconds since the Unix epoch as metav1.Time prints them."""
    return time.from_seconds(moment)


def replace_view(views: dict[Key, tuple[V, ...]], key: Key, name: str, after: V | None) -> V | None:
    """Put a view in the place of the one of that name, if there is one, and return that one.

    What is left is in the order of names. Nearly every Performer has one pod and one slice:
    tuples are smaller than dicts.
    """
    before = next((view for view in views.get(key, ()) if view.name == name), None)
    left = [view for view in views.get(key, ()) if view is not before]
    if after is not None:
        left.append(after)
    if left:
        views[key] = tuple(sorted(left, key=attrgetter("name")))
    else:
        views.pop(key, None)
    return before
