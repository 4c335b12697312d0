"""Durations as Kubernetes writes them: `500ms`, `30s`, `5m`, `1h30m`.

The form of Go's time.ParseDuration without its sub-millisecond units:
https://pkg.go.dev/time#ParseDuration
"""

import re

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
PATTERN = r"^(\d+(\.\d+)?(ms|h|m|s))+$"
_WHOLE = re.compile(PATTERN)


def parse(value: object) -> float:
    """Seconds; raises ValueError with the expected form if the value is no duration."""
    if not isinstance(value, str) or not _WHOLE.fullmatch(value):
        raise ValueError(f"{value!r} is not a duration; write it as 30s, 5m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))


def text(seconds: float) -> str:
    """The shortest form, to the millisecond: `1h30m`, `5m`, `2.5s`, `0s`."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
    if rest:
        parts.append(f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s")
    return "".join(parts)
