"""The column Targets of HorizontalPodAutoscalers.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/printers/internalversion/printers.go
"""

from datetime import datetime

from hourglass_kube.types import JSON

_SHOWN = 2
_UNKNOWN = "<unknown>"
_FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}
"""The field of a metric by its type."""


def targets(obj: JSON, _: datetime) -> str:
    """What is measured and what is wanted, of the first two metrics."""
    wanted = obj["spec"].get("metrics") or ()
    measured = (obj.get("status") or {}).get("currentMetrics") or ()
    texts = [
        _target(metric, measured[number] if number < len(measured) else {})
        for number, metric in enumerate(wanted)
    ]
    more = len(texts) - _SHOWN
    text = ", ".join(texts[:_SHOWN]) or "<none>"
    return f"{text} + {more} more..." if more > 0 else text


def _target(metric: JSON, measured: JSON) -> str:
    field = _FIELDS.get(metric["type"])
    if field is None:
        return "<unknown type>"
    source = metric[field]
    target, current = source["target"], (measured.get(field) or {}).get("current") or {}
    average = target.get("averageValue")
    if field in ("resource", "containerResource"):
        if average is not None:
            return f"{source['name']}: {current.get('averageValue', _UNKNOWN)}/{average}"
        now = _percent(current.get("averageUtilization"), _UNKNOWN)
        return f"{source['name']}: {now}/{_percent(target.get('averageUtilization'), '<auto>')}"
    if field == "pods":
        return f"{current.get('averageValue', _UNKNOWN)}/{average}"
    if average is not None:
        return f"{current.get('averageValue', _UNKNOWN)}/{average} (avg)"
    return f"{current.get('value', _UNKNOWN)}/{target.get('value')}"


def _percent(value: int | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value}%"
