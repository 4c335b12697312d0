"""One pass over a Performer, from top to bottom: what is wrong, which phase, which writes."""

from hourglass_operator.controller import finalizer, rival, take_over
from hourglass_operator.controller.assess import assess
from hourglass_operator.controller.budget import plan_budget
from hourglass_operator.controller.claim_templates import plan_templates
from hourglass_operator.controller.event_recorder import record_undone_repairs
from hourglass_operator.controller.explanations import Explanations
from hourglass_operator.controller.held_back import due_writes, still_refused
from hourglass_operator.controller.lifecycle import PodPlan, plan_pods
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Memory, Plan, Write
from hourglass_operator.controller.pod_repair import repair_pods
from hourglass_operator.controller.pod_resize import plan_resize
from hourglass_operator.controller.repairs import plan_repairs
from hourglass_operator.controller.service import plan_service
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.status import plan_status
from hourglass_operator.controller.upgrade import Handover, plan_handover
from hourglass_statemachine import Facts, Lifecycle, Progress, Serving


def reconcile(
    seen: Observation, lifecycle: Lifecycle, explanations: Explanations, settings: Settings
) -> Plan:
    """What to write and when to look again; pure.

    The status comes after the writes on other objects, so that a crash in between leaves a status
    that is behind the truth rather than ahead of it.
    """
    if seen.unread:
        return Plan(reads=seen.unread, memory=seen.memory)
    handover = plan_handover(seen)
    # Finalizers of others may keep a Performer that this operator is done with.
    released = seen.deleting and not finalizer.is_held(seen)
    release_at = finalizer.release_at(seen, settings) if seen.deleting and not released else None
    releases = release_at is not None and seen.now >= release_at

    stays = not (seen.deleting or seen.invalid)
    added = _add_finalizer(seen) if stays else ()
    release = (finalizer.set_finalizer(seen, present=False),) if releases else ()
    service = plan_service(seen) if stays else ()
    budget = () if released else plan_budget(seen)
    templates = plan_templates(seen) if stays else ()
    pod_repairs = () if released else repair_pods(seen)
    resize = plan_resize(seen)
    pods = PodPlan() if released else plan_pods(seen, handover, settings)
    drifted = (*service, *budget, *pod_repairs)
    wanted = (*added, *release, *drifted, *templates, *resize, *pods.writes)
    seen = seen.with_refusals(still_refused(wanted, seen.refusals))

    facts = assess(seen, handover, explanations)
    phase, steps = lifecycle.advance(seen.status.phase, facts)
    if release and due_writes(release, seen.refusals, seen.now):
        return Plan(writes=release, steps=steps, memory=Memory(refusals=seen.refusals))
    repairs = plan_repairs(seen, drifted, settings)
    wanted = (*added, *repairs.writes, *templates, *resize, *pods.writes)
    writes = due_writes(wanted, seen.refusals, seen.now)
    alone = not any(write.resource == "performers" for write in writes)
    status = plan_status(seen, facts, phase, settings, alone=alone)
    contest = rival.wrote_over(seen, settings) if status.writes else rival.remembered(seen)
    draining_since = take_over.draining_since(seen)
    moments = (
        *_moments(seen, facts, handover),
        release_at,
        repairs.requeue_at,
        pods.requeue_at,
        status.requeue_at,
        *rival.moments(contest),
        take_over.drained_at(draining_since),
    )
    return Plan(
        writes=(*writes, *status.writes),
        events=(*status.events, *record_undone_repairs(seen, repairs.messages)),
        requeue_after=min(
            (at - seen.now for at in moments if at is not None and at > seen.now), default=None
        ),
        memory=Memory(
            refusals=seen.refusals,
            pending_status=status.pending,
            ready_since=seen.ready_since,
            stall=seen.stall,
            contest=contest,
            draining_since=draining_since,
            repairs=repairs.remembered,
        ),
        waits_for=handover.competitor.performer if handover.competitor else None,
        steps=steps,
    )


def _add_finalizer(seen: Observation) -> tuple[Write, ...]:
    return () if finalizer.is_set(seen) else (finalizer.set_finalizer(seen, present=True),)


def _moments(seen: Observation, facts: Facts, handover: Handover) -> tuple[float | None, ...]:
    """When (seconds) a fact changes though no object does."""
    return (
        _deadline(seen, facts),
        seen.available_at,
        seen.evictable_at,
        seen.stalls_at,
        seen.steady_at,
        *(pod.deleted for pod in (*seen.draining, *handover.pods)),
        *(refusal.retry_at for refusal in seen.refusals),
    )


def _deadline(seen: Observation, facts: Facts) -> float | None:
    """The progress deadline, while the wanted template or its resources are on their way."""
    arrived = facts.serving is Serving.WANTED and not facts.resizing
    on_the_way = not facts.deleting and not arrived
    on_the_way &= facts.progress is not Progress.GATED or facts.serving is Serving.LEAVING
    return seen.deadline if on_the_way else None
