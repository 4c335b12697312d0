"""Schedules as CronJobs write them: five fields, or @hourly, @every 90m and the like.

https://github.com/robfig/cron/blob/v3.0.1/parser.go
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_DAYS = {
    name: number for number, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])
}
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_LONGEST_SEARCH = timedelta(days=366 * 5)


class _Field(NamedTuple):
    values: frozenset[int]
    star: bool
    """Whether it is written with a star, so that only the other field of days counts."""


class Schedule:
    """When a CronJob is due: `next` after a moment, in the time zone of the schedule."""

    def __init__(self, text: str, zone: tzinfo) -> None:
        """Raises ValueError for what is no schedule."""
        self._zone = zone
        self._every: float | None = None
        text = text.strip()
        if text.startswith("@every "):
            self._every = max(1.0, float(int(_duration(text.removeprefix("@every ")))))
            return
        fields = _DESCRIPTORS.get(text.lower(), text).split()
        if text.startswith("@") and text.lower() not in _DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor: {text}")
        if len(fields) != 5:
            raise ValueError(f"expected exactly 5 fields, found {len(fields)}: {fields}")
        self._minutes = _field(fields[0], 0, 59, {})
        self._hours = _field(fields[1], 0, 23, {})
        self._days = _field(fields[2], 1, 31, {})
        self._months = _field(fields[3], 1, 12, _MONTHS)
        self._weekdays = _field(fields[4], 0, 6, _DAYS)

    def next(self, after: float) -> float | None:
        """The first moment later than `after` (Unix seconds) at which it is due."""
        if self._every is not None:
            return float(int(after)) + self._every
        start = datetime.fromtimestamp(after, self._zone)
        moment = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = start + _LONGEST_SEARCH
        while moment < end:
            if moment.month not in self._months.values or not self._is_day(moment):
                moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
            elif moment.hour not in self._hours.values:
                moment = moment.replace(minute=0) + timedelta(hours=1)
            elif moment.minute not in self._minutes.values:
                moment += timedelta(minutes=1)
            else:
                return moment.timestamp()
        return None

    def _is_day(self, moment: datetime) -> bool:
        of_month = moment.day in self._days.values
        of_week = (moment.weekday() + 1) % 7 in self._weekdays.values
        if self._days.star or self._weekdays.star:
            return of_month and of_week
        return of_month or of_week


def _field(text: str, low: int, high: int, names: Mapping[str, int]) -> _Field:
    values: set[int] = set()
    star = False
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if span in ("*", "?"):
            first, last, star = low, high, star or not slash or step == "1"
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin, names)
            last = _number(end, names) if dash else high if slash else first
        width = int(step) if slash and step.isdecimal() else 1
        if slash and (not step.isdecimal() or not width):
            raise ValueError(f"step of range should be a positive number: {part}")
        if first < low:
            raise ValueError(f"beginning of range ({first}) below minimum ({low}): {part}")
        if last > high:
            raise ValueError(f"end of range ({last}) above maximum ({high}): {part}")
        if first > last:
            raise ValueError(f"beginning of range ({first}) beyond end of range ({last}): {part}")
        values.update(range(first, last + 1, width))
    return _Field(frozenset(values), star)


def _number(text: str, names: Mapping[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not text.isdecimal():
        raise ValueError(f"failed to parse int from {text}")
    return int(text)


def _duration(text: str) -> float:
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise ValueError(f"failed to parse duration @every {text}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
