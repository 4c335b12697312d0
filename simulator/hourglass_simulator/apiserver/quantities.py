"""Quantities in the form in which the API server prints them.

https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity
"""

from collections.abc import Mapping
from decimal import ROUND_UP, Decimal
from functools import lru_cache
from typing import Any

from hourglass_kube import quantity

_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_STEP = 1024


@lru_cache(maxsize=65536)
def canonical(text: str | int | float) -> str:
    """`1000m` becomes `1`, `1024Mi` becomes `1Gi`, 1 becomes `1`; ValueError if it is none."""
    value = quantity.parse(text)
    written = str(text)
    if "e" in written or written.endswith("E") or "E+" in written or "E-" in written:
        return written
    return formatted(value, binary=written.endswith("i"))


def formatted(value: Decimal, *, binary: bool) -> str:
    """A value with the largest suffix that keeps it whole."""
    if binary and abs(value) >= _STEP:
        whole, power = int(value.to_integral_value(ROUND_UP)), 0
        while whole % _STEP == 0 and power + 1 < len(_BINARY):
            whole, power = whole // _STEP, power + 1
        return f"{whole}{_BINARY[power]}"
    if not value:
        return "0"
    for exponent in sorted(_DECIMAL, reverse=True):
        scaled = value.scaleb(-exponent)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{_DECIMAL[exponent]}"
    return f"{int(value.scaleb(9).to_integral_value(ROUND_UP))}n"


def all_canonical(amounts: Mapping[str, Any]) -> dict[str, str]:
    """A resource list with every quantity in its canonical form."""
    return {name: canonical(amount) for name, amount in amounts.items()}
