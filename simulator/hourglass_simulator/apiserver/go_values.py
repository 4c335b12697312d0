"""How single JSON values become values of Go and are printed again.

A value that does not fit raises MismatchError, where Go names field and type, or ValueError with
the whole text, where a type has a decoder of its own.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hourglass_simulator.apiserver.quantities import canonical

_INT_BITS = {"int32": 31, "int64": 63, "int": 63}
_QUANTITY_RULE = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_DATE = (
    ("2006", r"\d{4}"),
    ("-", "-"),
    ("01", r"\d\d"),
    ("-", "-"),
    ("02", r"\d\d"),
    ("T", "T"),
    ("15", r"\d\d"),
    (":", ":"),
    ("04", r"\d\d"),
    (":", ":"),
    ("05", r"\d\d"),
)
_ZONE = ("Z07:00", r"Z|[+-]\d\d:\d\d")
_META = "k8s.io/apimachinery/pkg/apis/meta/v1"


class Number(float):
    """A number with a fraction or an exponent, or too large for an int64; shown as it came."""

    def __new__(cls, text: str) -> "Number":
        """Of the text in a JSON document."""
        found = super().__new__(cls, text)
        found.text = text
        return found

    text: str

    def __str__(self) -> str:
        return self.text


def plain(value: Any) -> Any:
    """A JSON value whose numbers are integers of 64 bits and floats, as where no type is known.

    ValueError, with Go's text, for a number that no float64 holds.
    """
    if isinstance(value, dict):
        changed = {name: plain(each) for name, each in value.items()}
        if isinstance(value, Repeated):
            repeated = Repeated(changed)
            repeated.repeated = value.repeated
            return repeated
        return changed
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, Number) or (type(value) is int and not -(1 << 63) <= value < 1 << 63):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isinf(found):
            why = f"cannot unmarshal number {value} into Go value of type float64"
            raise ValueError(f"json: {why}")
        return int(found) if found.is_integer() and abs(found) < 1 << 53 else found
    return value


class Repeated(dict[str, Any]):
    """A JSON object in which the names of `repeated` came more than once."""

    repeated: tuple[str, ...] = ()


class MismatchError(Exception):
    """A JSON value of another kind: `found` as Go says it, and the Go type if it is not obvious."""

    def __init__(self, found: str, go_type: str = "") -> None:
        super().__init__(found)
        self.found = found
        self.go_type = go_type


def kind_of(value: Any) -> str:
    """`object`, `array`, `string`, `number` or `bool`."""
    for kind, name in ((dict, "object"), (list, "array"), (str, "string"), (bool, "bool")):
        if isinstance(value, kind):
            return name
    return "number"


def string(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise MismatchError(kind_of(value))
    return value


def boolean(value: Any) -> bool:
    """A bool."""
    if not isinstance(value, bool):
        raise MismatchError(kind_of(value))
    return value


def integer(value: Any, bits: int) -> int:
    """An integer of so many bits and a sign."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MismatchError(kind_of(value))
    if isinstance(value, float) or not -(1 << bits) <= value < 1 << bits:
        raise MismatchError(f"number {value}")
    return value


def truncated(value: Any, go_type: str) -> int | None:
    """A whole number as one of a Go type that has not enough bits; None for what is none.

    So numbers become typed in patches, which are not decoded but converted.
    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/runtime/converter.go
    """
    bits = _INT_BITS.get(go_type)
    if bits is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or value != math.floor(value):
        return None
    least = -(1 << 63)
    whole = int(value) if least <= value < -least else least
    return (whole + (1 << bits)) % (1 << bits + 1) - (1 << bits)


def number(value: Any) -> int | float:
    """A float64."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MismatchError(kind_of(value))
    return value


def octets(value: Any) -> str:
    """A []byte: base64."""
    if not isinstance(value, str):
        raise MismatchError(kind_of(value), "[]uint8")
    try:
        return base64.b64encode(base64.b64decode(value, validate=True)).decode()
    except (binascii.Error, ValueError):
        bad = re.search(r"[^A-Za-z0-9+/]", value)
        where = bad.start() if bad and value[bad.start()] != "=" else len(value) // 4 * 4
        raise ValueError(f"illegal base64 data at input byte {where}") from None


def quantity(value: Any) -> str:
    """A resource.Quantity in its canonical form."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return canonical(value)
        except ValueError:
            pass
    raise ValueError(_QUANTITY_RULE)


def int_or_string(value: Any) -> int | str:
    """An intstr.IntOrString."""
    if isinstance(value, str):
        return value
    try:
        return integer(value, _INT_BITS["int32"])
    except MismatchError as error:
        raise MismatchError(error.found, "int32") from None


def time(value: Any) -> str:
    """A metav1.Time, printed in UTC and in whole seconds."""
    parsed = _parsed(value, "2006-01-02T15:04:05Z07:00", (("", r"(\.\d+)?"),))
    return parsed.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_time(value: Any) -> str:
    """A metav1.MicroTime, printed in UTC with six digits after the point."""
    parsed = _parsed(value, "2006-01-02T15:04:05.000000Z07:00", ((".000000", r"\.\d{6}"),))
    return parsed.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _parsed(value: Any, layout: str, fraction: tuple[tuple[str, str], ...]) -> datetime:
    if not isinstance(value, str):
        raise MismatchError(kind_of(value), "string")
    begins = f'parsing time "{value}"'
    rest = value
    for element, form in (*_DATE, *fraction, _ZONE):
        found = re.match(form, rest, re.ASCII)
        if found is None:
            raise ValueError(f'{begins} as "{layout}": cannot parse "{rest}" as "{element}"')
        rest = rest[found.end() :]
    if rest:
        raise ValueError(f'{begins}: extra text: "{rest}"')
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{begins}: day out of range") from None


def anything(value: Any) -> Any:
    """What is kept as it came."""
    return value


LEAVES: dict[str, Callable[[Any], Any]] = {
    "string": string,
    "bool": boolean,
    "float64": number,
    "k8s.io/apimachinery/pkg/api/resource.Quantity": quantity,
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": int_or_string,
    f"{_META}.Time": time,
    f"{_META}.MicroTime": micro_time,
    f"{_META}.Duration": string,
    **{name: partial(integer, bits=bits) for name, bits in _INT_BITS.items()},
}
"""By Go type; what is in neither these nor the recorded types is kept as it came."""

ZEROS: dict[str, Any] = {
    "string": "",
    "[]byte": "",
    "bool": False,
    "float64": 0,
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "0",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": 0,
    f"{_META}.Duration": "0s",
    **dict.fromkeys(_INT_BITS, 0),
}
"""What a value that was not given is printed as; null where it is not here."""
STRUCTS = frozenset(
    {
        "k8s.io/apimachinery/pkg/api/resource.Quantity",
        "k8s.io/apimachinery/pkg/util/intstr.IntOrString",
        f"{_META}.Duration",
        f"{_META}.Time",
        f"{_META}.MicroTime",
        "k8s.io/apimachinery/pkg/runtime.RawExtension",
    }
)
"""Leaves that are structs in Go, which `omitempty` never leaves out."""
