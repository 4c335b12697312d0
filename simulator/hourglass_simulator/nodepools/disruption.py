"""How many nodes of a pool Karpenter may disrupt now.

https://github.com/kubernetes-sigs/karpenter/blob/main/pkg/controllers/disruption/helpers.go
"""

from hourglass_simulator.nodepools.pool import Karpenter, Reason


def allowed(settings: Karpenter, reason: Reason, nodes: int, disrupting: int) -> int:
    """By the strictest of the budgets that count for a reason; `nodes` are those of the pool.

    A percentage is rounded up; `disrupting`: nodes that go already, or are not ready.
    """
    limits = [
        _limit(budget.nodes, nodes)
        for budget in settings.budgets
        if not budget.reasons or reason in budget.reasons
    ]
    return max(min(limits, default=nodes) - disrupting, 0)


def _limit(text: str, nodes: int) -> int:
    if text.endswith("%"):
        return -(-nodes * int(text[:-1]) // 100)
    return int(text)
