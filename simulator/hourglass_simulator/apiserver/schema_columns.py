"""The table of `kubectl get` from a CRD's additionalPrinterColumns.

Names come first; ages are printed like kubectl does.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hourglass_simulator.apiserver import json_path
from hourglass_simulator.apiserver.schema_error import go_float

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


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
    value = cell(column, obj, now)
    return "" if value is None else _text(value)


def cell(column: dict[str, Any], obj: dict[str, Any], now: datetime) -> Any:
    """What stands in a column of a definition; None where there is nothing that fits its type.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor/tableconvertor.go
    """
    found = json_path.find(obj, column["jsonPath"])
    if not found:
        return None
    value, kind = found[0], column["type"]
    if kind == "string":
        return _text(value)
    if kind == "date":
        return _age(value, now) if isinstance(value, str) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if kind == "integer" else value
    return None


def has_path(column: dict[str, Any]) -> bool:
    """Whether anything could stand in a column."""
    try:
        json_path.find({}, column["jsonPath"])
    except ValueError:
        return False
    return True


def _age(value: str, now: datetime) -> str:
    if not _RFC_3339.fullmatch(value):
        return "<invalid>"
    try:
        since = datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        return "<invalid>"
    return age(now - since)


def _text(value: Any) -> str:
    """A value as a JSON path prints it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, float):
        return go_float(value)
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def lookup(obj: Any, path: str) -> Any:
    """The value at a path like `.status.conditions[?(@.type=="Ready")].reason`, or None."""
    return json_path.first(obj, path)


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
