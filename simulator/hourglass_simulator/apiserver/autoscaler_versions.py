"""HorizontalPodAutoscalers of version 1 and of version 2, which is what is stored.

What version 1 has no fields for, it has in annotations.
https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/autoscaling/v1/conversion.go
"""

import json
from typing import Any, NamedTuple

from hourglass_kube.types import JSON

_NOTE = "autoscaling.alpha.kubernetes.io"
_METRICS, _BEHAVIOR, _CONDITIONS, _CURRENT = (
    f"{_NOTE}/{name}" for name in ("metrics", "behavior", "conditions", "current-metrics")
)
_DROPPED = (
    _METRICS,
    _BEHAVIOR,
    _CONDITIONS,
    _CURRENT,
    f"{_NOTE}/scale-down-tolerance",
    f"{_NOTE}/scale-up-tolerance",
)
_SPEC = ("scaleTargetRef", "minReplicas", "maxReplicas")
_STATUS = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
_DEFAULT_PERCENT = 80
_RULES = ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
_POLICY = ("type", "value", "periodSeconds")


class _Field(NamedTuple):
    """A field of version 1, where version 2 has it, and what Go prints where it is not set."""

    old: str
    new: str
    unset: str | None = None


_NAME, _CONTAINER = _Field("name", "name", ""), _Field("container", "container", "")
_METRIC = _Field("metricName", "metric.name", "")
_SELECTOR = _Field("selector", "metric.selector")
_WANTED: dict[str, tuple[_Field, ...]] = {
    "object": (
        _Field("target", "describedObject"),
        _METRIC,
        _Field("targetValue", "target.value", "0"),
        _SELECTOR,
        _Field("averageValue", "target.averageValue"),
    ),
    "pods": (_METRIC, _Field("targetAverageValue", "target.averageValue", "0"), _SELECTOR),
    "resource": (
        _NAME,
        _Field("targetAverageUtilization", "target.averageUtilization"),
        _Field("targetAverageValue", "target.averageValue"),
    ),
    "containerResource": (
        _NAME,
        _Field("targetAverageUtilization", "target.averageUtilization"),
        _Field("targetAverageValue", "target.averageValue"),
        _CONTAINER,
    ),
    "external": (
        _METRIC,
        _Field("metricSelector", "metric.selector"),
        _Field("targetValue", "target.value"),
        _Field("targetAverageValue", "target.averageValue"),
    ),
}
_FOUND: dict[str, tuple[_Field, ...]] = {
    "object": (
        _Field("target", "describedObject"),
        _METRIC,
        _Field("currentValue", "current.value", "0"),
        _SELECTOR,
        _Field("averageValue", "current.averageValue"),
    ),
    "pods": (_METRIC, _Field("currentAverageValue", "current.averageValue", "0"), _SELECTOR),
    "resource": (
        _NAME,
        _Field("currentAverageUtilization", "current.averageUtilization"),
        _Field("currentAverageValue", "current.averageValue", "0"),
    ),
    "containerResource": (
        _NAME,
        _Field("currentAverageUtilization", "current.averageUtilization"),
        _Field("currentAverageValue", "current.averageValue", "0"),
        _CONTAINER,
    ),
    "external": (
        _METRIC,
        _Field("metricSelector", "metric.selector"),
        _Field("currentValue", "current.value", "0"),
        _Field("currentAverageValue", "current.averageValue"),
    ),
}
"""By the field of a metric that has it, in the order in which Go prints it."""


def shown(obj: JSON) -> JSON:
    """A stored autoscaler in version 1."""
    meta, spec, status = (obj.get(field) or {} for field in ("metadata", "spec", "status"))
    metrics, found = spec.get("metrics") or [], status.get("currentMetrics") or []
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k not in _DROPPED}
    for note, value in (
        (_METRICS, [_older(m, _WANTED) for m in metrics if not _is_cpu(m)]),
        (_BEHAVIOR, _capitals(spec["behavior"]) if spec.get("behavior") is not None else None),
        (_CONDITIONS, [_condition(each) for each in status.get("conditions") or ()]),
        (_CURRENT, [_older(m, _FOUND) for m in found]),
    ):
        if value:
            notes[note] = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    kept = {k: v for k, v in meta.items() if k != "annotations"}
    new_spec = {k: spec[k] for k in _SPEC if k in spec}
    if (percent := next((_percent(m, "target") for m in metrics if _is_cpu(m)), None)) is not None:
        new_spec["targetCPUUtilizationPercentage"] = percent
    new_status = {field: status[field] for field in _STATUS if field in status}
    for metric in found:
        if _names_cpu(metric) and (percent := _percent(metric, "current")) is not None:
            new_status["currentCPUUtilizationPercentage"] = percent
    return {
        **obj,
        "metadata": {**kept, "annotations": notes} if notes else kept,
        "spec": new_spec,
        "status": {"currentReplicas": 0, "desiredReplicas": 0, **new_status},
    }


def stored(obj: JSON, minor: int) -> JSON:
    """An autoscaler of version 1 as a minor version of Kubernetes stores it."""
    meta, spec, status = (obj.get(field) or {} for field in ("metadata", "spec", "status"))
    notes = meta.get("annotations") or {}
    kept = {k: v for k, v in notes.items() if k not in _DROPPED}
    meta = {k: v for k, v in meta.items() if k != "annotations"}
    new_spec = {k: spec[k] for k in _SPEC if k in spec}
    metrics = [_typed(_newer(each, _WANTED), minor) for each in _noted(notes, _METRICS)]
    if (percent := spec.get("targetCPUUtilizationPercentage")) is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if not metrics:
        target = {"type": "Utilization", "averageUtilization": _DEFAULT_PERCENT}
        metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    new_spec["metrics"] = metrics
    if behavior := _behavior(notes.get(_BEHAVIOR)):
        new_spec["behavior"] = behavior
    new_status = {field: status[field] for field in _STATUS if field in status}
    if (percent := status.get("currentCPUUtilizationPercentage")) is not None:
        cpu = {"name": "cpu", "current": {"averageUtilization": percent}}
        new_status["currentMetrics"] = [{"type": "Resource", "resource": cpu}]
    if _is_noted(notes, _CURRENT):
        new_status["currentMetrics"] = [_newer(each, _FOUND) for each in _noted(notes, _CURRENT)]
    if _is_noted(notes, _CONDITIONS):
        new_status["conditions"] = _noted(notes, _CONDITIONS)
    return {
        **obj,
        "apiVersion": "autoscaling/v2",
        "metadata": {**meta, "annotations": kept} if kept else meta,
        "spec": new_spec,
        "status": new_status,
    }


def _names_cpu(metric: JSON) -> bool:
    return metric.get("type") == "Resource" and (metric.get("resource") or {}).get("name") == "cpu"


def _is_cpu(metric: JSON) -> bool:
    """Version 1 has a field for what it wants."""
    return _names_cpu(metric) and _percent(metric, "target") is not None


def _percent(metric: JSON, part: str) -> Any:
    return (metric["resource"].get(part) or {}).get("averageUtilization")


def _older(metric: JSON, forms: dict[str, tuple[_Field, ...]]) -> JSON:
    """A metric of version 2 as version 1 writes it."""
    found = {"type": metric.get("type", "")}
    for name, fields in forms.items():
        given = metric.get(name)
        if given is None:
            continue
        found[name] = {}
        for field in fields:
            above, _, last = field.new.rpartition(".")
            value = ((given.get(above) or {}) if above else given).get(last, field.unset)
            if value is not None:
                found[name][field.old] = value
    return found


def _newer(metric: JSON, forms: dict[str, tuple[_Field, ...]]) -> JSON:
    """A metric of version 1 as version 2 writes it."""
    found: JSON = {"type": metric.get("type", "")}
    for name, fields in forms.items():
        given = metric.get(name)
        if given is None:
            continue
        new: JSON = {}
        for field in fields:
            above, _, last = field.new.rpartition(".")
            if (value := given.get(field.old, field.unset)) is not None:
                (new.setdefault(above, {}) if above else new)[last] = value
        found[name] = new
    return found


def _typed(metric: JSON, minor: int) -> JSON:
    """With the type of what is wanted, which version 1 does not say.

    Before 1.37 an object's value is 0 where an average is wanted, and so it is not valid.
    """
    for name in _WANTED:
        if name not in metric:
            continue
        target = metric[name].setdefault("target", {})
        if name == "object" and "averageValue" in target:
            target["type"] = "AverageValue"
            if target["value"] == "0" and minor >= 37:
                del target["value"]
        elif name == "object" or (name == "external" and "value" in target):
            target["type"] = "Value"
        else:
            is_percent = "averageUtilization" in target
            target["type"] = "Utilization" if is_percent else "AverageValue"
    return metric


def _capitals(behavior: JSON) -> JSON:
    """As Go prints the internal type, whose fields have no names in JSON."""
    return {
        "ScaleUp": _rules(behavior.get("scaleUp")),
        "ScaleDown": _rules(behavior.get("scaleDown")),
    }


def _rules(rules: JSON | None) -> JSON | None:
    if rules is None:
        return None
    found = {_capital(name): rules.get(name) for name in _RULES}
    if rules.get("policies") is not None:
        policies = [{_capital(n): each.get(n) for n in _POLICY} for each in rules["policies"]]
        found["Policies"] = policies
    return found


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _behavior(text: str | None) -> JSON:
    """What the annotation says; nothing where it cannot be read."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return {}
    return _uncapitalised(value) if isinstance(value, dict) else {}


def _uncapitalised(value: Any) -> Any:
    if isinstance(value, list):
        return [_uncapitalised(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {k[:1].lower() + k[1:]: _uncapitalised(v) for k, v in value.items() if v is not None}


def _condition(condition: JSON) -> JSON:
    """A condition with its fields in the order in which Go prints them."""
    found = {name: condition.get(name, "") for name in ("type", "status")}
    found["lastTransitionTime"] = condition.get("lastTransitionTime")
    rest = ("reason", "message")
    return {**found, **{name: condition[name] for name in rest if condition.get(name)}}


def _is_noted(notes: JSON, note: str) -> bool:
    """An annotation has a list of objects."""
    try:
        value = json.loads(notes.get(note, ""))
    except ValueError:
        return False
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _noted(notes: JSON, note: str) -> list[JSON]:
    """The objects of an annotation; none where it cannot be read."""
    found: list[JSON] = json.loads(notes[note]) if _is_noted(notes, note) else []
    return found
