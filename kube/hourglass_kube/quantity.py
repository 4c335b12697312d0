"""resource.Quantity: parsing, and the two units that scheduling counts in.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from decimal import ROUND_UP, Context, Decimal
from functools import lru_cache

_FORM = r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)"
_QUANTITY = re.compile(_FORM)
_DECIMAL = {
    suffix: exponent
    for suffix, exponent in zip("num kMGTPE", range(-9, 21, 3), strict=True)
    if suffix != " "
}
_BINARY = {f"{letter}i": 10 * power for power, letter in enumerate("KMGTPE", start=1)}
_BINARY_LIMIT = Decimal(2**63 - 1)
_NANO = Decimal("1e-9")
_EXPONENT_LIMIT = 100
_EXACT = Context(prec=1000)


@lru_cache(maxsize=65536)
def parse(text: str | int | float) -> Decimal:
    """The value; raises ValueError, in Kubernetes' words, if the text is no quantity.

    As in Kubernetes, fractions of a nano are rounded up and amounts with a binary suffix end at
    2^63 - 1. Exponents end at 100, so that no text makes an astronomic number.
    """
    found = _QUANTITY.fullmatch(str(text))
    if not found or text == "":
        raise ValueError(
            "quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    sign, whole_part, fraction, letters, digits = found.groups()
    value = Decimal(f"{whole_part or 0}.{fraction or 0}")
    value = _EXACT.multiply(value, _factor(letters, digits))
    if value.as_tuple().exponent < -9:  # type: ignore[operator]
        value = value.quantize(_NANO, ROUND_UP, _EXACT)
    if letters.endswith("i"):
        value = min(value, _BINARY_LIMIT)
    return -value if sign == "-" else value


@lru_cache(maxsize=65536)
def milli(text: str | int | float) -> int:
    """The value in thousandths, rounded up as Kubernetes does."""
    return int((parse(text) * 1000).to_integral_value(ROUND_UP))


@lru_cache(maxsize=65536)
def whole(text: str | int | float) -> int:
    """The value in whole units (bytes, devices), rounded up as Kubernetes does."""
    return int(parse(text).to_integral_value(ROUND_UP))


def in_words(amount: int) -> str:
    """A whole amount as a person writes it: with the largest binary suffix that keeps it exact."""
    for suffix, exponent in reversed(_BINARY.items()):
        if amount and amount % 2**exponent == 0:
            return f"{amount >> exponent}{suffix}"
    return str(amount)


def _factor(letters: str, digits: str) -> Decimal:
    if not letters and not digits:
        return Decimal(1)
    if not digits and letters in _DECIMAL:
        return Decimal(1).scaleb(_DECIMAL[letters])
    if not digits and letters in _BINARY:
        return Decimal(2 ** _BINARY[letters])
    if letters in ("e", "E") and digits not in ("", "+", "-"):
        exponent = max(-_EXPONENT_LIMIT, min(_EXPONENT_LIMIT, int(digits)))
        return Decimal(1).scaleb(exponent)
    raise ValueError("unable to parse quantity's suffix")
