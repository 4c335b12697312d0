"""The PodDisruptionBudgets of each namespace: the operator's own and those of others."""

from collections.abc import Mapping

from hourglass_kube.selector import matches
from hourglass_operator.resources.budget import BudgetView


class BudgetIndex:
    """Budgets by namespace and name."""

    def __init__(self) -> None:
        self._budgets: dict[tuple[str, str], BudgetView] = {}
        self._others: dict[str, dict[str, BudgetView]] = {}
        """By namespace. There is one of ours for each Performer, and few of others."""

    def put(self, namespace: str, name: str, view: BudgetView | None) -> bool:
        """Put a budget in the place of the one of its name; None: there is none any more.

        Whether anything but its status has changed.
        """
        before = self._budgets.pop((namespace, name), None)
        self._others.get(namespace, {}).pop(name, None)
        if view is not None:
            self._budgets[namespace, name] = view
            if not view.managed:
                self._others.setdefault(namespace, {})[name] = view
        return before != view

    def get(self, namespace: str, name: str) -> BudgetView | None:
        """The budget of this name."""
        return self._budgets.get((namespace, name))

    def others_selecting(self, namespace: str, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The names of others' budgets that select a pod with these labels, sorted."""
        budgets = self._others.get(namespace, {}).values()
        return tuple(sorted(each.name for each in budgets if matches(each.selector, labels)))
