"""The PodDisruptionBudget by which evictions wait for a move."""

from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.resources.budget import (
    BudgetView,
    budget_drifts,
    budget_repair,
    build_budget,
    selects_nothing,
)
from hourglass_statemachine import Fault, Reason


def plan_budget(seen: Observation) -> tuple[Write, ...]:
    """The write that leads to the budget that the spec asks for, or to none."""
    performer, own = seen.performer, seen.budget
    if not _wanted(seen):
        return _end(seen, own) if own is not None else ()
    wanted = build_budget(performer.name, performer.namespace, performer.uid, seen.spec.avs_address)
    name = wanted["metadata"]["name"]
    if own is None:
        return (Write("create", "poddisruptionbudgets", performer.namespace, name, wanted),)
    drifts = budget_drifts(own, wanted)
    if not drifts:
        return ()
    patch = budget_repair(own, wanted)
    return (
        Write("patch", "poddisruptionbudgets", performer.namespace, name, patch, drifts=drifts),
    )


def _end(seen: Observation, own: BudgetView) -> tuple[Write, ...]:
    """A budget that finalizers keep would refuse evictions until they go, and has no say first."""
    namespace = seen.performer.namespace
    writes = []
    if own.kept and own.selector is not None:
        patch, drifts = selects_nothing(own)
        writes.append(
            Write("patch", "poddisruptionbudgets", namespace, own.name, patch, drifts=drifts)
        )
    # With a Performer the garbage collector takes its budget.
    if not (own.deleted or seen.deleting):
        body = {"preconditions": {"uid": own.uid}}
        writes.append(Write("delete", "poddisruptionbudgets", namespace, own.name, body))
    return tuple(writes)


def unprotected(seen: Observation) -> Fault | None:
    """Why evictions do not wait for a move although the spec asks for that."""
    if not seen.move_first:
        return None
    if seen.other_budgets:
        names = ", ".join(seen.other_budgets)
        plural = "s" if len(seen.other_budgets) > 1 else ""
        return Fault(
            Reason.BUDGET_CONFLICT,
            f"PodDisruptionBudget{plural} {names} of others select{'' if plural else 's'} the pod:"
            " as no pod with two budgets can be evicted, the operator holds none, and an eviction"
            " that the other allows does not wait until the pod has moved",
        )
    refusal = next(
        (r for r in seen.refusals if (r.verb, r.resource) == ("create", "poddisruptionbudgets")),
        None,
    )
    if refusal is None:
        return None
    return Fault(
        Reason.BUDGET_REJECTED,
        f"evictions do not wait until the pod has moved: {refusal.message}",
    )


def _wanted(seen: Observation) -> bool:
    """Not once an eviction has waited for long enough: no drain waits for ever.

    Neither for a successor, nor for an upgrade, nor for a pod to serve that is Ready.
    """
    return _is_asked_for(seen) and not _has_waited(seen)


def may_be_evicted(seen: Observation) -> bool:
    """An eviction has waited for long enough, and no budget of ours refuses it any more."""
    has_no_say = seen.budget is None or seen.budget.selector is None
    return _is_asked_for(seen) and _has_waited(seen) and has_no_say


def _is_asked_for(seen: Observation) -> bool:
    return not seen.deleting and seen.move_first and not seen.other_budgets


def _has_waited(seen: Observation) -> bool:
    return seen.evictable_at is not None and seen.now >= seen.evictable_at
