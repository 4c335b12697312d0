"""The formats of strings in schemas.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go
https://pkg.go.dev/k8s.io/kube-openapi/pkg/validation/strfmt
"""

import re
from collections.abc import Callable
from datetime import date
from email.utils import parseaddr
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import urlsplit

from hourglass_simulator.apiserver import gates


def known_format(name: str) -> str:
    """The format, or nothing if nobody checks it."""
    return name if name.replace("-", "") in _CHECKS else ""


_OF_NUMBERS = {"integer": ("int32", "int64"), "number": ("float", "double")}
_KUBERNETES = ("k8sshortname", "k8slongname")
_SINCE = 35
"""The minor version that checks those of Kubernetes first, one after it came to know them."""


def known_number_format(kind: str, name: str) -> str:
    """The format of a number of this type, or nothing if nobody checks it."""
    return name if name in _OF_NUMBERS.get(kind, ()) else ""


def unrecognized(kind: str, name: str) -> bool:
    """Whether the API server warns of the format of a type; before 1.37 of those of strings."""
    plain, newer = name.replace("-", ""), gates.since(37)
    if not name or (kind != "string" and not newer):
        return False
    if kind in ("", "string"):
        return plain not in _CHECKS or _is_unknown(plain)
    return name not in _OF_NUMBERS.get(kind, ())


def _is_unknown(name: str) -> bool:
    return name in _KUBERNETES and not gates.since(_SINCE)


def has_format(value: str, name: str) -> bool:
    """Whether a string is of a format that is known."""
    plain = name.replace("-", "")
    return _is_unknown(plain) or _CHECKS[plain](value)


def _matches(pattern: str, flags: int = 0) -> Callable[[str], bool]:
    compiled = re.compile(pattern, flags)
    return lambda value: compiled.fullmatch(value) is not None


def _ipv4(value: str) -> bool:
    """Leading zeros are tolerated."""
    plain = re.sub(r"\b0+(?=\d)", "", value)
    try:
        IPv4Address(plain)
    except ValueError:
        return _ipv6(value) and "." in value
    return True


def _ipv6(value: str) -> bool:
    try:
        IPv6Address(value)
    except ValueError:
        return False
    return "%" not in value


def _cidr(value: str) -> bool:
    address, slash, length = value.partition("/")
    if not slash or not length.isdecimal() or (len(length) > 1 and length[0] == "0"):
        return False
    plain = re.sub(r"\b0+(?=\d)", "", address) if ":" not in address else address
    try:
        ip_network(f"{plain}/{length}", strict=False)
    except ValueError:
        return False
    return True


def _uri(value: str) -> bool:
    """An absolute URI or an absolute path, as net/url.ParseRequestURI takes it."""
    if re.search(r"[\x00-\x20\x7f]", value) or not value:
        return False
    if re.search(r"%(?![0-9A-Fa-f]{2})", value):
        return False
    if value.startswith("/"):
        return True
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value))


def _email(value: str) -> bool:
    _, address = parseaddr(value)
    return re.fullmatch(r"[^@\s]+@[^@\s]+", address) is not None


def _hostname(value: str) -> bool:
    letter = r"a-zA-Z0-9\u00a2-\uffff"
    label = rf"[{letter}](?:[{letter}-]{{0,61}}[{letter}])?"
    single = rf"[{letter}](?:-?[{letter}]{{0,62}})?"
    dotted = rf"(?:{label}\.)+[a-zA-Z\u00a2-\uffff]{{2,63}}"
    fits = len(value) <= 255 and all(len(part) <= 63 for part in value.split("."))
    return fits and re.fullmatch(f"{single}|{dotted}", value) is not None


def _isbn(*lengths: int) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        digits = re.sub(r"[\s-]+", "", value)
        if len(digits) == 10 and 10 in lengths and re.fullmatch(r"[0-9]{9}[0-9X]", digits):
            numbers = [10 if digit == "X" else int(digit) for digit in digits]
            return sum(i * n for i, n in enumerate(numbers, 1)) % 11 == 0
        if len(digits) == 13 and 13 in lengths and re.fullmatch(r"[0-9]{13}", digits):
            total = sum(int(digit) * (1, 3)[i % 2] for i, digit in enumerate(digits[:12]))
            return int(digits[12]) == (10 - total % 10) % 10
        return False

    return check


_CARD = re.compile(
    r"4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11}"
)


def _card(value: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", value)
    if _CARD.fullmatch(digits) is None:
        return False
    total = 0
    for index, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + index % 2)
        total += number // 10 + number % 10
    return total % 10 == 0


def _date(value: str) -> bool:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _date_time(value: str) -> bool:
    day, t, rest = value.lower().partition("t")
    time = re.fullmatch(
        r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})", rest
    )
    if not t or time is None or not _date(day):
        return False
    return time[1] <= "23" and time[2] <= "59" and time[3] <= "59"


GO_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
UNITS = {
    "ns": ("ns", "nano"),
    "us": ("us", "µs", "micro"),
    "ms": ("ms", "milli"),
    "s": ("s", "sec"),
    "m": ("m", "min"),
    "h": ("h", "hr", "hour"),
    "d": ("d", "day"),
    "w": ("w", "wk", "week"),
}
"""The last name of a unit may go on: `days`."""


def _duration(value: str) -> bool:
    if GO_DURATION.fullmatch(value):
        return True
    words = [word.lower() for word in re.findall(r"[0-9]+\s*([A-Za-zµ]+)", value)]
    return any(
        word in names or word.startswith(names[-1]) for word in words for names in UNITS.values()
    )


_BYTE = r"\s*(?:0|[1-9][0-9]?|1[0-9][0-9]?|2[0-4][0-9]|25[0-5])\s*"
_SHORT = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_HEX = "[0-9a-f]"


def _uuid(version: str = _HEX, variant: str = _HEX) -> Callable[[str], bool]:
    parts = (f"{_HEX}{{8}}", f"{_HEX}{{4}}", f"{version}{_HEX}{{3}}", f"{variant}{_HEX}{{3}}")
    return _matches("-?".join((*parts, f"{_HEX}{{12}}")), re.IGNORECASE)


def _bounded(pattern: str, longest: int) -> Callable[[str], bool]:
    matches = _matches(pattern)
    return lambda value: len(value) <= longest and matches(value)


_CHECKS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches(r"[0-9a-fA-F]{24}"),
    "byte": _matches(
        r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"
    ),
    "cidr": _cidr,
    "creditcard": _card,
    "date": _date,
    "datetime": _date_time,
    "duration": _duration,
    "email": _email,
    "hexcolor": _matches(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "hostname": _hostname,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "isbn": _isbn(10, 13),
    "isbn10": _isbn(10),
    "isbn13": _isbn(13),
    "k8slongname": _bounded(rf"{_SHORT}(?:\.{_SHORT})*", 253),
    "k8sshortname": _bounded(_SHORT, 63),
    "mac": _matches(
        r"(?:[0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}"
        r"|(?:[0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\2){6}[0-9a-fA-F]{2}"
        r"|(?:[0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\3){18}[0-9a-fA-F]{2}"
        r"|(?:[0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}|(?:[0-9a-fA-F]{4}\.){3}[0-9a-fA-F]{4}"
        r"|(?:[0-9a-fA-F]{4}\.){9}[0-9a-fA-F]{4}"
    ),
    "password": lambda _: True,
    "rgbcolor": _matches(rf"rgb\({_BYTE},{_BYTE},{_BYTE}\)"),
    "ssn": _bounded(r"[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}", 11),
    "uri": _uri,
    "uuid": _uuid(),
    "uuid3": _uuid(version="3"),
    "uuid4": _uuid(version="4", variant="[89ab]"),
    "uuid5": _uuid(version="5", variant="[89ab]"),
}
"""By the name without dashes."""
