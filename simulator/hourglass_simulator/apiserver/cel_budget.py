"""What rules cost when they are run on an object, and what that may be.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/apis/cel/config.go

The library does not count. A rule costs at most what it is estimated to cost for values as large as
those that it is run on; where it stops earlier, a real server counts less.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]

from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.cel_types import DeclaredType, escaped

PER_CALL, PER_REQUEST = 1_000_000, 10_000_000


def run(program: cel.Expression, data: dict[str, Any]) -> cel.Value:
    """What an expression evaluates to; 501 where the library gives up before a real server does."""
    try:
        return program.eval(data=data)
    except RuntimeError as error:
        if "Iteration budget exceeded" not in str(error):
            raise
        what = "a CEL expression that goes through more than 10,000 items"
        raise errors.not_simulated(what) from None


class Budget:
    """What is left for the rules of one object; `exact`: for what they cost on its values.

    What they can cost at most is known beforehand, and enough for nearly all objects.
    """

    def __init__(self, *, exact: bool = False) -> None:
        self.left = PER_REQUEST
        self.exact = exact

    def fault(self, cost: int, rule: str) -> str:
        """What is said when a rule that costs so much is run; empty when there is enough."""
        if cost > PER_CALL and self.left >= PER_CALL:
            self.left = 0
            why = "'operation cancelled: actual cost limit exceeded': no further validation rules"
            return f"{why} will be run due to call cost exceeds limit for rule: {rule}"
        if cost > self.left:
            self.left = 0
            why = "validation failed due to running out of cost budget"
            return f"{why}, no further validation rules will be run"
        self.left -= cost
        return ""

    @property
    def is_spent(self) -> bool:
        """Whether no further rules are run."""
        return self.left == 0


def measured(of: DeclaredType, value: Any) -> DeclaredType:
    """A type whose values are as large as this one, and no larger."""
    if of.kind == "list" and isinstance(value, list) and of.element is not None:
        return replace(of, max_elements=len(value), element=_largest(of.element, value))
    if of.kind == "map" and isinstance(value, dict) and of.element is not None:
        return replace(of, max_elements=len(value), element=_largest(of.element, value.values()))
    if of.kind == "object" and isinstance(value, dict):
        given = {escaped(name): each for name, each in value.items()}
        fields = {name: measured(each, given.get(name)) for name, each in of.fields.items()}
        return replace(of, fields=fields)
    if of.kind in ("string", "bytes", "dyn"):
        return replace(of, max_elements=len(value) if isinstance(value, str) else 1)
    return of if value is not None else _nothing(of)


def _nothing(of: DeclaredType) -> DeclaredType:
    """A type of values that are not there."""
    element = of.element and _nothing(of.element)
    fields = {name: _nothing(each) for name, each in of.fields.items()}
    return replace(of, max_elements=0, element=element, fields=fields)


def _largest(of: DeclaredType, values: Iterable[Any]) -> DeclaredType:
    found = _nothing(of)
    for index, value in enumerate(values):
        one = measured(of, value)
        found = one if index == 0 else _larger(found, one)
    return found


def _larger(one: DeclaredType, other: DeclaredType) -> DeclaredType:
    element = one.element
    if element is not None and other.element is not None:
        element = _larger(element, other.element)
    fields = {name: _larger(each, other.fields[name]) for name, each in one.fields.items()}
    most = max(one.max_elements, other.max_elements)
    return replace(one, max_elements=most, element=element, fields=fields)
