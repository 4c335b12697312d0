"""Objects that are stored under one group and version, and served under another one, too.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/v1/conversion.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/autoscaling/v1/conversion.go
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hourglass_kube import selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.rules import events
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
_NOTE = "autoscaling.alpha.kubernetes.io"
_METRICS, _BEHAVIOR, _CONDITIONS, _CURRENT = (
    f"{_NOTE}/{name}" for name in ("metrics", "behavior", "conditions", "current-metrics")
)


@dataclass(frozen=True)
class View:
    """How objects of the resource `base` are served as those of another.

    `stored(obj, old)` is what is to be stored of an object, `shown` what is served of it.
    """

    resource: Resource
    base: str
    stored: Callable[[JSON, JSON | None], JSON]
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


def _event_shown(event: JSON) -> JSON:
    shown = {_EVENT_FIELDS.get(field, field): value for field, value in event.items()}
    return {k: v for k, v in shown.items() if v or k not in _UNSAID}


def _event_stored(event: JSON, old: JSON | None) -> JSON:  # noqa: ARG001
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


def _is_cpu(metric: JSON) -> bool:
    resource = metric.get("resource") or {}
    target = resource.get("target") or {}
    return resource.get("name") == "cpu" and target.get("averageUtilization") is not None


def _autoscaler_shown(obj: JSON) -> JSON:
    meta, spec, status = (obj.get(field) or {} for field in ("metadata", "spec", "status"))
    notes = dict(meta.get("annotations") or {})
    metrics = spec.get("metrics") or []
    shown = {k: spec[k] for k in ("scaleTargetRef", "minReplicas", "maxReplicas") if k in spec}
    cpu = next((metric for metric in metrics if _is_cpu(metric)), None)
    if cpu is not None:
        percent = cpu["resource"]["target"]["averageUtilization"]
        shown["targetCPUUtilizationPercentage"] = percent
    for note, value in (
        (_METRICS, [_metric(m, "target") for m in metrics if m is not cpu]),
        (_BEHAVIOR, spec.get("behavior")),
        (_CONDITIONS, status.get("conditions")),
        (_CURRENT, [_metric(m, "current") for m in status.get("currentMetrics") or ()]),
    ):
        if value:
            notes[note] = json.dumps(value, separators=(",", ":"))
    fields = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
    result = {**obj, "metadata": {**meta, "annotations": notes}, "spec": shown}
    result["status"] = {
        "currentReplicas": 0,
        "desiredReplicas": 0,
        **{field: status[field] for field in fields if field in status},
    }
    if not notes:
        del result["metadata"]["annotations"]
    for metric in status.get("currentMetrics") or ():
        resource = metric.get("resource") or {}
        percent = (resource.get("current") or {}).get("averageUtilization")
        if resource.get("name") == "cpu" and percent is not None:
            result["status"]["currentCPUUtilizationPercentage"] = percent
    return result


def _metric(metric: JSON, part: str) -> JSON:
    """A metric as version 1 writes it: what is wanted or found is beside its name."""
    kind = metric["type"]
    field = kind[:1].lower() + kind[1:]
    given = metric.get(field) or {}
    wanted, named = given.get(part) or {}, given.get("metric") or {}
    found = {k: given[k] for k in ("name", "container") if k in given}
    if named:
        found["metricName"] = named.get("name", "")
    if "selector" in named:
        found["metricSelector" if kind == "External" else "selector"] = named["selector"]
    if "describedObject" in given:
        found["target"] = given["describedObject"]
    for name in ("averageUtilization", "averageValue", "value"):
        if name in wanted:
            found[part + name[:1].upper() + name[1:]] = wanted[name]
    return {"type": kind, field: found}


def _autoscaler_stored(obj: JSON, old: JSON | None) -> JSON:
    """With the metrics and the behavior of the stored one, which version 1 has in annotations."""
    meta, spec = obj.get("metadata") or {}, dict(obj.get("spec") or {})
    before = (old or {}).get("spec") or {}
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = [metric for metric in before.get("metrics") or () if not _is_cpu(metric)]
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics = [
            {"type": "Resource", "resource": {"name": "cpu", "target": target}},
            *metrics,
        ]
    if metrics:
        spec["metrics"] = metrics
    if "behavior" in before:
        spec["behavior"] = before["behavior"]
    notes = meta.get("annotations") or {}
    kept = {k: v for k, v in notes.items() if not k.startswith(f"{_NOTE}/")}
    meta = {k: v for k, v in meta.items() if k != "annotations"}
    if kept:
        meta["annotations"] = kept
    result = {**obj, "apiVersion": "autoscaling/v2", "metadata": meta, "spec": spec}
    if old is not None:
        result["status"] = old.get("status") or {}
    return result


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
        _autoscaler_stored,
        _autoscaler_shown,
        lambda _new, _old: iter(()),
        "autoscaling",
    ),
}
"""By group, version and plural."""
