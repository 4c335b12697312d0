"""Numbers that may be percentages.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/apps/validation/validation.go
"""

from typing import Any

from hourglass_simulator.apiserver.rules import names
from hourglass_simulator.apiserver.rules.fault import Faults, each, invalid, non_negative


def number_or_percent(field: str, value: Any) -> Faults:
    """A number below 0, or a text that is no percentage."""
    if isinstance(value, str):
        yield from each(field, value, names.percent(value))
    else:
        yield from non_negative(field, value)


def is_percent(value: Any) -> bool:
    """Whether it is a percentage."""
    return isinstance(value, str) and not names.percent(value)


def plain(value: Any) -> int:
    """The number, of a percentage too; 0 for what is neither."""
    if is_percent(value):
        return int(value[:-1])
    if isinstance(value, str):
        return int(value) if value.isdecimal() else 0
    return int(value or 0)


def at_most_all(field: str, value: Any) -> Faults:
    """More than 100%."""
    if is_percent(value) and plain(value) > 100:
        yield invalid(field, value, "must not be greater than 100%")
