"""PodDisruptionBudgets by namespace and name."""

from builders import NAMESPACE, performer
from hourglass_operator.controller.budget_index import BudgetIndex
from hourglass_operator.resources.budget import view

OWN = view(performer("ml").budget())
OTHER = view({"metadata": {"name": "other"}, "spec": {"selector": {"matchLabels": {"app": "x"}}}})


def test_only_those_of_others_are_asked_whether_they_select_a_pod() -> None:
    index = BudgetIndex()
    assert index.put(NAMESPACE, OWN.name, OWN)
    assert index.put(NAMESPACE, "other", OTHER)
    assert index.others_selecting(NAMESPACE, OWN.labels) == ()
    assert index.others_selecting(NAMESPACE, {"app": "x"}) == ("other",)
    assert index.others_selecting("elsewhere", {"app": "x"}) == ()


def test_one_that_has_gone_is_known_no_more() -> None:
    index = BudgetIndex()
    index.put(NAMESPACE, "other", OTHER)
    assert not index.put(NAMESPACE, "other", OTHER)
    assert index.put(NAMESPACE, "other", None)
    assert index.get(NAMESPACE, "other") is None
    assert index.others_selecting(NAMESPACE, {"app": "x"}) == ()
