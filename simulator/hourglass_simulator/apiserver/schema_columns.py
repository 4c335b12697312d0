"""The table of `kubectl get` from a CRD's additionalPrinterColumns.

Names come first; ages are printed like kubectl does.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

_STEP = re.compile(r'\.(?P<field>\w+)(?:\[\?\(@\.(?P<key>\w+)=="(?P<value>[^"]*)"\)\])?')


def table(
    columns: list[dict[str, Any]],
    objects: Iterable[dict[str, Any]],
    now: datetime,
    *,
    wide: bool,
) -> list[list[str]]:
    """Headings, then a row for each object; columns with a priority appear only when `wide`."""
    shown = [column for column in columns if wide or not column.get("priority")]
    rows = [["NAME", *(column["name"].upper() for column in shown)]]
    for obj in objects:
        cells = (_cell(column, obj, now) for column in shown)
        rows.append([obj["metadata"]["name"], *cells])
    return rows


def _cell(column: dict[str, Any], obj: dict[str, Any], now: datetime) -> str:
    value = lookup(obj, column["jsonPath"])
    if value is None:
        return ""
    if column["type"] == "date":
        return age(now - datetime.fromisoformat(value))
    return str(value)


def lookup(obj: Any, path: str) -> Any:
    """The value at a path like `.status.conditions[?(@.type=="Ready")].reason`, or None."""
    position = 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise ValueError(f"JSON path not simulated: {path}")
        position = step.end()
        obj = obj.get(step["field"]) if isinstance(obj, dict) else None
        if step["key"] and isinstance(obj, list):
            obj = next((item for item in obj if item.get(step["key"]) == step["value"]), None)
    return obj


def age(elapsed: Any) -> str:
    """A duration as kubectl prints it: 90s, 5m30s, 3h20m, 4d2h, 20d, 2y100d.

    https://pkg.go.dev/k8s.io/apimachinery/pkg/util/duration#HumanDuration
    """
    seconds = int(elapsed.total_seconds())
    if seconds < -1:
        return "<invalid>"
    seconds = max(seconds, 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    years = days // 365
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _pair(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 24 * 8:
        return _pair(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _pair(years, "y", days % 365, "d")
    return f"{years}y"


def _pair(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"
