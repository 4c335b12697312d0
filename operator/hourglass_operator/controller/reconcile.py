"""One pass over a Performer, from top to bottom: what is wrong, which phase, which writes."""

from hourglass_operator.controller import finalizer
from hourglass_operator.controller.assess import assess
from hourglass_operator.controller.explanations import Explanations
from hourglass_operator.controller.lifecycle import PodPlan, plan_pods
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Memory, Plan, Write
from hourglass_operator.controller.pod_repair import repair_pods
from hourglass_operator.controller.service import plan_service
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.status import plan_status
from hourglass_statemachine import Facts, Lifecycle, Serving


def reconcile(
    seen: Observation, lifecycle: Lifecycle, explanations: Explanations, settings: Settings
) -> Plan:
    """What to write and when to look again; pure.

    The status comes after the writes on other objects, so that a crash in between leaves a status
    that is behind the truth rather than ahead of it, and Events come last.
    """
    facts = assess(seen, explanations)
    phase, steps = lifecycle.advance(seen.status.phase, facts)

    # Finalizers of others may keep a Performer that this operator is done with.
    released = seen.deleting and not finalizer.is_set(seen)
    release_at = None
    if seen.deleting and not released:
        release_at = finalizer.release_at(seen, settings)
        if seen.now >= release_at:
            return Plan(writes=(finalizer.set_finalizer(seen, present=False),), steps=steps)

    repairs = () if seen.deleting or seen.invalid else _repairs(seen)
    pods = PodPlan() if released else plan_pods(seen, settings)
    status = plan_status(seen, facts, phase, settings)
    moments = (
        _deadline(seen, facts),
        release_at,
        pods.requeue_at,
        status.requeue_at,
        *(refusal.retry_at for refusal in seen.refusals),
    )
    return Plan(
        writes=(*repairs, *pods.writes, *status.writes),
        requeue_after=min(
            (at - seen.now for at in moments if at is not None and at > seen.now), default=None
        ),
        memory=Memory(seen.refusals, status.pending),
        steps=steps,
    )


def _repairs(seen: Observation) -> tuple[Write, ...]:
    added = () if finalizer.is_set(seen) else (finalizer.set_finalizer(seen, present=True),)
    return (*added, *plan_service(seen), *repair_pods(seen))


def _deadline(seen: Observation, facts: Facts) -> float | None:
    """The progress deadline, while the wanted template is on its way."""
    on_the_way = not facts.deleting and facts.serving is not Serving.WANTED
    return seen.deadline if on_the_way else None
