"""resource.Quantity: parsing, and the two units that scheduling counts in.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import math
from decimal import Decimal
from functools import lru_cache

from kubernetes.utils.quantity import parse_quantity


@lru_cache(maxsize=65536)
def parse(text: str | int | float) -> Decimal:
    """The exact value; raises ValueError if the text is no quantity."""
    return Decimal(parse_quantity(text))  # type: ignore[no-untyped-call]


@lru_cache(maxsize=65536)
def milli(text: str | int | float) -> int:
    """The value in thousandths, rounded up as Kubernetes does."""
    return math.ceil(parse(text) * 1000)


@lru_cache(maxsize=65536)
def whole(text: str | int | float) -> int:
    """The value in whole units (bytes, devices), rounded up as Kubernetes does."""
    return math.ceil(parse(text))
