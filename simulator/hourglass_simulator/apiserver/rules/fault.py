"""Field errors as Kubernetes constructs them, and the checks of single values.

https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation/field
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Context, Decimal
from typing import Any

from hourglass_kube import quantity
from hourglass_simulator.apiserver.schema_error import (
    OMITTED,
    ErrorType,
    FieldError,
    not_supported,
    too_long,
    too_many,
)

__all__ = [
    "OMITTED",
    "FieldError",
    "not_supported",
    "too_long",
    "too_many",
]

Faults = Iterator[FieldError]
Messages = list[str]
NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"
_LARGEST_PORT = 65535
_LARGEST_ID = 2**31 - 1


def required(field: str, detail: str = "") -> FieldError:
    """The field has no value."""
    return FieldError(ErrorType.REQUIRED, field, None, detail)


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """The field has a wrong value."""
    return FieldError(ErrorType.INVALID, field, value, detail)


def forbidden(field: str, detail: str) -> FieldError:
    """The field may not have this value here."""
    return FieldError(ErrorType.FORBIDDEN, field, None, detail)


def duplicate(field: str, value: Any, detail: str = "") -> FieldError:
    """The value has come before."""
    return FieldError(ErrorType.DUPLICATE, field, value, detail)


def not_found(field: str, value: Any, detail: str = "") -> FieldError:
    """What the value names does not exist."""
    return FieldError(ErrorType.NOT_FOUND, field, value, detail)


def each(field: str, value: Any, messages: Iterable[str]) -> Faults:
    """An error for each message."""
    for message in messages:
        yield invalid(field, value, message)


def one_of(field: str, value: Any, supported: Sequence[str]) -> Faults:
    """A value that is none of the supported ones."""
    if value not in supported:
        yield not_supported(field, value, supported)


def choice(field: str, value: Any, supported: Sequence[str]) -> Faults:
    """A value that is missing or none of the supported ones."""
    if not value:
        yield required(field)
    else:
        yield from one_of(field, value, supported)


def non_negative(field: str, value: int | None) -> Faults:
    """A number below 0."""
    if value is not None and value < 0:
        yield invalid(field, value, NEGATIVE)


def non_negatives(path: str, obj: dict[str, Any], *fields: str) -> Faults:
    """Fields of an object with a number below 0."""
    for field in fields:
        yield from non_negative(f"{path}.{field}", obj.get(field))


def positive(field: str, value: int) -> Faults:
    """A number below 1."""
    if value <= 0:
        yield invalid(field, value, "must be greater than zero")


def immutable(field: str, new: Any, old: Any, shown: Callable[[Any], Any] = lambda v: v) -> Faults:
    """A value that has changed; nothing and what is empty are the same."""
    if (new or None) != (old or None):
        yield invalid(field, shown(new), IMMUTABLE)


def in_range(low: int, high: int) -> str:
    """What is said of a number elsewhere."""
    return f"must be between {low} and {high}, inclusive"


def port_number(field: str, value: int) -> Faults:
    """A number that is no port."""
    if not 1 <= value <= _LARGEST_PORT:
        yield invalid(field, value, in_range(1, _LARGEST_PORT))


def user_or_group(field: str, value: int | None) -> Faults:
    """A number that is no id of a user or a group."""
    if value is not None and not 0 <= value <= _LARGEST_ID:
        yield invalid(field, value, in_range(0, _LARGEST_ID))


def amount(value: Any) -> Decimal:
    """A quantity as a number."""
    return quantity.parse(value)


def is_multiple(value: Any, of: Decimal | int = 1) -> bool:
    """Whether a quantity is so many times another, which is above 0; exact however large it is."""
    return _EXACT.remainder(amount(value), Decimal(of)) == 0


_EXACT = Context(prec=1000)


def non_negative_quantity(field: str, value: Any) -> Faults:
    """A quantity below 0."""
    if amount(value) < 0:
        yield invalid(field, value, NEGATIVE)


def positive_quantity(field: str, value: Any) -> Faults:
    """A quantity that is not above 0."""
    if amount(value) <= 0:
        yield invalid(field, value, "must be greater than zero")
