"""Objects that are stored under one group and version, and served under another one, too.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/events/v1/conversion.go
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hourglass_kube import selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import autoscaler_versions, errors
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.rules import autoscalers, events
from hourglass_simulator.apiserver.rules.fault import Faults

_EVENT_FIELDS = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_STORED_FIELDS = {shown: stored for stored, shown in _EVENT_FIELDS.items()}
_UNSAID = ("reportingController", "reportingInstance")


@dataclass(frozen=True)
class View:
    """How objects of the resource `base` are served as those of another.

    `stored` is what a minor version of Kubernetes stores of an object, `shown` what it serves.
    """

    resource: Resource
    base: str
    stored: Callable[[JSON, int], JSON]
    shown: Callable[[JSON], JSON]
    faults: Callable[[JSON, JSON | None], Faults]
    error_group: str
    """The group that is named where an object is invalid."""
    selected: Callable[[str], str] = lambda text: text
    """A field selector of the view as that of what is stored; raises ValueError."""

    def answer(self, body: Any) -> Any:
        """An answer with stored objects, as one with those that are served."""
        if not isinstance(body, dict):
            return body
        kind, typed = body.get("kind"), {"apiVersion": self.resource.api_version}
        if kind == f"{self.resource.kind}List":
            return {**body, **typed, "items": [self.shown(item) for item in body["items"]]}
        if kind == "Status" and body.get("status") == "Success" and "details" in body:
            return {**body, "details": {**body["details"], "group": self.resource.group}}
        return {**self.shown(body), **typed} if kind == self.resource.kind else body

    def refuse(self, new: JSON, old: JSON | None, namespace: str) -> None:
        """422 for what is wrong with an object that is to be stored."""
        meta = {"namespace": namespace, "name": "", **(new.get("metadata") or {})}
        if old is not None:
            meta.setdefault("uid", old["metadata"]["uid"])
        if not meta["name"] and meta.get("generateName"):
            meta["name"] = f"{meta['generateName']}x"
        if faults := list(self.faults({**new, "metadata": meta}, old)):
            named = replace(self.resource, group=self.error_group)
            raise errors.invalid(named, meta["name"], faults)


def _event_shown(event: JSON) -> JSON:
    shown = {_EVENT_FIELDS.get(field, field): value for field, value in event.items()}
    return {k: v for k, v in shown.items() if v or k not in _UNSAID}


def _event_stored(event: JSON, minor: int) -> JSON:  # noqa: ARG001
    stored = {_STORED_FIELDS.get(field, field): value for field, value in event.items()}
    return {"reportingComponent": "", "reportingInstance": "", **stored, "apiVersion": "v1"}


def _event_faults(event: JSON, old: JSON | None) -> Faults:
    if old is None:
        yield from events.new_style_created(event)
    else:
        yield from events.new_style_updated(event, old)


_SELECTED_EVENT_FIELDS = {
    "metadata.name": "metadata.name",
    "metadata.namespace": "metadata.namespace",
    "reason": "reason",
    "regarding.apiVersion": "involvedObject.apiVersion",
    "regarding.fieldPath": "involvedObject.fieldPath",
    "regarding.kind": "involvedObject.kind",
    "regarding.name": "involvedObject.name",
    "regarding.namespace": "involvedObject.namespace",
    "regarding.resourceVersion": "involvedObject.resourceVersion",
    "regarding.uid": "involvedObject.uid",
    "reportingController": "reportingComponent",
    "type": "type",
}
"""https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/events/v1/conversion.go"""


def _events_selected(text: str) -> str:
    fields = selector.parse_fields(text)
    for path, _, _ in fields:
        if path not in _SELECTED_EVENT_FIELDS:
            raise ValueError(f"field label not supported: {path}")
    return ",".join(
        f"{_SELECTED_EVENT_FIELDS[path]}{'=' if equal else '!='}{selector.escaped(value)}"
        for path, equal, value in fields
    )


VIEWS = {
    ("events.k8s.io", "v1", "events"): View(
        Resource("events", "Event", "events.k8s.io", "v1"),
        "/api/v1",
        _event_stored,
        _event_shown,
        _event_faults,
        "",
        _events_selected,
    ),
    ("autoscaling", "v1", "horizontalpodautoscalers"): View(
        Resource("horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", "v1"),
        "/apis/autoscaling/v2",
        autoscaler_versions.stored,
        autoscaler_versions.shown,
        # Version 1 has it in an annotation, and there it has no defaults.
        lambda new, _: autoscalers.behavior_faults(new["spec"]),
        "autoscaling",
    ),
}
"""By group, version and plural."""
