"""Numbers that may be percentages.

https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/util/intstr/intstr.go
"""

import math
from typing import Any


def scaled(value: Any, total: int, *, up: bool) -> int:
    """A number as it is, or a percentage of the total, rounded up or down."""
    if isinstance(value, int):
        return value
    if not str(value).endswith("%"):
        raise ValueError("invalid value for IntOrString: invalid type: string is not a percentage")
    share = int(str(value)[:-1]) * total / 100
    return math.ceil(share) if up else math.floor(share)
