"""Events, as the core group and as the group events.k8s.io knows them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/events.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import names, object_meta
from hourglass_simulator.apiserver.rules.fault import Faults, each, immutable, invalid, required
from hourglass_simulator.apiserver.rules.go_text import printed

_LONGEST, _LONGEST_NOTE = 128, 1024
_FIXED = (
    ("involvedObject", "core.ObjectReference"),
    ("reason", ""),
    ("message", ""),
    ("source", "core.EventSource"),
    ("firstTimestamp", ""),
    ("lastTimestamp", ""),
    ("count", ""),
    ("reason", ""),
    ("type", ""),
    ("eventTime", ""),
    ("action", ""),
    ("related", "core.ObjectReference"),
    ("reportingComponent", ""),
    ("reportingInstance", ""),
)


def _longest(field: str, value: str, most: int = _LONGEST) -> Faults:
    if len(value) > most:
        yield invalid(field, "", f"can have at most {most} characters")


def _filled(field: str, value: str) -> Faults:
    if not value:
        yield required(field)
    yield from _longest(field, value)


def _common(event: JSON, controller_field: str) -> Faults:
    own = event["metadata"].get("namespace") or ""
    about = (event.get("involvedObject") or {}).get("namespace") or ""
    if not event.get("eventTime"):
        matches = about == own or (not about and own == "default")
    else:
        matches = bool(about) or own in ("default", "kube-system")
    if not matches:
        yield invalid("involvedObject.namespace", about, "does not match event.namespace")
    if not event.get("eventTime"):
        return
    controller = event.get("reportingComponent") or ""
    if not controller:
        yield required(controller_field)
    yield from each(controller_field, controller, names.qualified_name(controller))
    for field in ("reportingInstance", "action", "reason"):
        yield from _filled(field, event.get(field) or "")
    yield from _longest("message", event.get("message") or "", _LONGEST_NOTE)


def created(event: JSON) -> Faults:
    """What is wrong with a new Event of the core group."""
    yield from object_meta.created("events", event["metadata"])
    yield from _common(event, "reportingComponent")


def updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed Event of the core group: anything may change."""
    yield from _common(new, "reportingComponent")


def new_style_created(event: JSON) -> Faults:
    """What is wrong with a new Event of events.k8s.io, in the form of the core group."""
    yield from _common(event, "reportingController")
    yield from object_meta.created("newevents", event["metadata"])
    yield from _series(event)
    if not event.get("eventTime"):
        yield required("eventTime")
    if event.get("type") not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {event.get('type') or ''}")
    source = event.get("source") or {}
    for field in ("firstTimestamp", "lastTimestamp", "count", "source"):
        value = any(source.values()) if field == "source" else event.get(field)
        if value:
            yield invalid(field, "", "needs to be unset")


def new_style_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed Event of events.k8s.io: only its series may change."""
    yield from _common(new, "reportingController")
    yield from object_meta.updated(new["metadata"], old["metadata"], "events")
    if new.get("series") != old.get("series"):
        yield from _series(new)
    for field, go_type in _FIXED:
        value, before = new.get(field), old.get(field)
        shown = printed(f"*{go_type}", value) if go_type else value
        name = "reportingController" if field == "reportingComponent" else field
        yield from immutable(name, value, before, lambda _, shown=shown: shown)  # type: ignore[misc]


def _series(event: JSON) -> Faults:
    series = event.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < 2:
        yield invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield required("series.lastObservedTime")
