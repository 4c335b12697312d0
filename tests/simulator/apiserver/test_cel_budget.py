"""What rules may cost when they are run."""

import pytest

from hourglass_simulator.apiserver import APIError
from hourglass_simulator.apiserver.cel import Rules
from hourglass_simulator.apiserver.cel_budget import PER_CALL, PER_REQUEST, Budget, measured
from hourglass_simulator.apiserver.cel_types import DeclaredType
from hourglass_simulator.apiserver.schema import compile_schema

TEXT = DeclaredType("string", 2, 1000)
LIST = DeclaredType("list", 2, 1000, element=TEXT)


@pytest.mark.parametrize(
    ("cost", "before", "said"),
    [
        (PER_CALL, 0, ""),
        (PER_CALL + 1, 0, "call cost exceeds limit for rule: r"),
        (PER_CALL, PER_REQUEST - PER_CALL + 1, "running out of cost budget"),
        (PER_CALL + 1, PER_REQUEST - PER_CALL + 1, "running out of cost budget"),
        (1, PER_REQUEST, "running out of cost budget"),
    ],
)
def test_a_rule_is_run_while_there_is_enough(cost: int, before: int, said: str) -> None:
    budget = Budget()
    budget.left -= before
    fault = budget.fault(cost, "r")
    assert said in fault
    assert bool(fault) == bool(said)
    assert budget.is_spent == bool(said)


def test_a_type_is_as_large_as_the_largest_value() -> None:
    found = measured(DeclaredType("object", 2, fields={"a": LIST, "b": LIST}), {"a": ["x", "xyz"]})
    assert found.fields["a"] == DeclaredType("list", 2, 2, element=DeclaredType("string", 2, 3))
    assert found.fields["b"] == DeclaredType("list", 2, 0, element=DeclaredType("string", 2, 0))


def rules(source: str, most: int) -> Rules:
    numbers = {"type": "array", "maxItems": most, "items": {"type": "integer"}}
    return Rules(compile_schema({**numbers, "x-kubernetes-validations": [{"rule": source}]}))


def test_what_could_cost_too_much_for_larger_values_is_run_on_small_ones() -> None:
    found = rules("self.all(x, self.all(y, x < y))", 1000).check([1, 2])
    assert [fault.detail for fault in found] == ["failed rule: self.all(x, self.all(y, x < y))"]


def test_what_the_library_cannot_evaluate_is_no_success_and_no_mistake() -> None:
    with pytest.raises(APIError) as refused:
        rules("self.all(x, self.all(y, x <= y))", 1000).check([1] * 150)
    assert refused.value.code == 501
