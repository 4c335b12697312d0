"""How many nodes may be disrupted at once."""

import pytest

from hourglass_simulator.nodepools.disruption import allowed
from hourglass_simulator.nodepools.pool import Budget, Karpenter, Reason


@pytest.mark.parametrize(
    ("budgets", "reason", "nodes", "disrupting", "expected"),
    [
        pytest.param(("10%",), "Empty", 1, 0, 1, id="a percentage is rounded up"),
        pytest.param(("10%",), "Empty", 11, 0, 2, id="also of many"),
        pytest.param(("10%",), "Empty", 11, 1, 1, id="those that go already count"),
        pytest.param(("1",), "Drifted", 9, 3, 0, id="never less than none"),
        pytest.param(("3", "20%"), "Drifted", 10, 0, 2, id="the strictest budget counts"),
        pytest.param(("0",), "Underutilized", 10, 0, 0, id="a budget of none"),
        pytest.param((), "Empty", 4, 1, 3, id="without a budget all of them"),
    ],
)
def test_allowed(
    budgets: tuple[str, ...], reason: Reason, nodes: int, disrupting: int, expected: int
) -> None:
    settings = Karpenter(budgets=tuple(Budget(each) for each in budgets))
    assert allowed(settings, reason, nodes, disrupting) == expected


def test_a_budget_may_be_for_some_reasons() -> None:
    settings = Karpenter(budgets=(Budget("0", ("Drifted",)), Budget("100%")))
    assert allowed(settings, "Drifted", 5, 0) == 0
    assert allowed(settings, "Empty", 5, 0) == 5
