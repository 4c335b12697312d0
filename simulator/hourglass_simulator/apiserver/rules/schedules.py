"""Schedules and time zones of CronJobs.

https://github.com/robfig/cron/blob/v3.0.1/parser.go
"""

import json
import re
import zoneinfo

from hourglass_simulator.apiserver.rules.fault import Faults, invalid

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_NAMED = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY = "@every "
_DURATION = re.compile(r"[+-]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
_ZONE_PART = re.compile(r"(?!-)[A-Za-z._0-9+-]{1,14}")


def schedule(field: str, text: str, zone: str | None, *, zones_inside: bool) -> Faults:
    """A schedule; an earlier one may have contained a time zone."""
    try:
        _parse(text)
    except ValueError as error:
        yield invalid(field, text, str(error))
    if "TZ" not in text:
        return
    if not zones_inside:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid(field, text, why)
    elif zone is not None:
        yield invalid(field, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule")


def time_zone(field: str, zone: str | None) -> Faults:
    """A time zone of the database of the IANA."""
    if zone is None:
        return
    if not zone:
        yield invalid(field, zone, "timeZone must be nil or non-empty string")
        return
    parts = zone.split("/")
    if any(part in (".", "..") or not _ZONE_PART.fullmatch(part) for part in parts):
        yield invalid(field, zone, f"unknown time zone {zone}")
        return
    if zone.lower() == "local":
        url = "https://www.iana.org/time-zones"
        yield invalid(field, zone, f"timeZone must be an explicit time zone as defined in {url}")
    if zone != "Local" and not _known(zone):
        yield invalid(field, zone, f"unknown time zone {zone}")


def _known(zone: str) -> bool:
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _parse(text: str) -> None:
    if not text:
        msg = "empty spec string"
        raise ValueError(msg)
    if text.startswith(("TZ=", "CRON_TZ=")):
        zone, _, text = text.partition("=")[2].partition(" ")
        if zone not in ("", "Local") and not _known(zone):
            msg = f"provided bad location {zone}: unknown time zone {zone}"
            raise ValueError(msg)
        text = text.strip()
    if text.startswith("@"):
        _named(text)
        return
    fields = text.split()
    if len(fields) != len(_FIELDS):
        msg = f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]"
        raise ValueError(msg)
    for field, bounds in zip(fields, _FIELDS, strict=True):
        for part in filter(None, field.split(",")):
            _range(part, *bounds)


def _named(text: str) -> None:
    if text in _NAMED:
        return
    if not text.startswith(_EVERY):
        msg = f"unrecognized descriptor: {text}"
        raise ValueError(msg)
    duration = text.removeprefix(_EVERY)
    if not _DURATION.fullmatch(duration):
        msg = f"failed to parse duration {text}: time: invalid duration {json.dumps(duration)}"
        raise ValueError(msg)


def _range(text: str, low: int, high: int, names: dict[str, int]) -> None:
    whole, *steps = text.split("/")
    first, *last = whole.split("-")
    end = high
    if first in ("*", "?"):
        start = low
    else:
        start = end = _number(first, names)
        if len(last) > 1:
            msg = f"too many hyphens: {text}"
            raise ValueError(msg)
        if last:
            end = _number(last[0], names)
    step = 1
    if len(steps) > 1:
        msg = f"too many slashes: {text}"
        raise ValueError(msg)
    if steps:
        step = _number(steps[0], {})
        if first not in ("*", "?") and not last:
            end = high
    _within(text, (start, end, step), low, high)


def _within(text: str, given: tuple[int, int, int], low: int, high: int) -> None:
    start, end, step = given
    said = None
    if start < low:
        said = f"beginning of range ({start}) below minimum ({low})"
    elif end > high:
        said = f"end of range ({end}) above maximum ({high})"
    elif start > end:
        said = f"beginning of range ({start}) beyond end of range ({end})"
    elif not step:
        said = "step of range should be a positive number"
    if said:
        msg = f"{said}: {text}"
        raise ValueError(msg)


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"[+-]?\d+", text):
        msg = (
            f"failed to parse int from {text}: strconv.Atoi: parsing {json.dumps(text)}:"
            " invalid syntax"
        )
        raise ValueError(msg)
    if int(text) < 0:
        msg = f"negative number ({int(text)}) not allowed: {text}"
        raise ValueError(msg)
    return int(text)
