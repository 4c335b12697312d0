"""Writes that make pods come and go: creation, replacement, upgrade and clean-up."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from hourglass_kube.backoff import backoff
from hourglass_kube.types import JSON
from hourglass_operator.controller.claim_templates import may_claim
from hourglass_operator.controller.endings import beside_a_move, crowd
from hourglass_operator.controller.moves import kept_off
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.rival import may_come_back
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.take_over import is_drained
from hourglass_operator.controller.upgrade import Handover
from hourglass_operator.resources.claim import with_claim
from hourglass_operator.resources.pod import build_pod
from hourglass_statemachine import Serving


@dataclass(frozen=True, slots=True)
class PodPlan:
    """Writes on pods, and when (seconds) to look again though nothing changes."""

    writes: tuple[Write, ...] = ()
    requeue_at: float | None = None


def plan_pods(seen: Observation, handover: Handover, settings: Settings) -> PodPlan:
    """The writes that lead to exactly one pod, of the wanted template.

    A pod that the Go operator would make again at once stays, and one of it that still drains.
    """
    if seen.deleting:
        return PodPlan(_delete(seen.pods))
    plan = _plan_pods(seen, handover, settings)
    staying = {
        pod.name: pod.created + settings.replacement_base
        for pod in seen.pods
        if may_come_back(pod, seen, settings) or not is_drained(pod, seen)
    }
    if not staying:
        return plan
    writes = tuple(write for write in plan.writes if write.name not in staying)
    looks = [*staying.values(), *([] if plan.requeue_at is None else [plan.requeue_at])]
    return PodPlan(writes, min((at for at in looks if at > seen.now), default=None))


def _plan_pods(seen: Observation, handover: Handover, settings: Settings) -> PodPlan:
    if seen.invalid:
        return PodPlan()
    roles, new = seen.roles, seen.roles.candidate
    if roles.serving is Serving.WANTED:
        return PodPlan(_delete(pod for pod in seen.pods if pod is not roles.serving_pod))
    if new is None:
        return _create(seen, handover, settings)
    # What serves, or may, stays until the new template does; whatever else is left of interrupted
    # upgrades and failed pods goes.
    spare = _leftovers(seen, keep=[new, *roles.previous])
    if asks_in_vain(seen, new) or is_kept_off_in_vain(seen, new):
        return PodPlan((*_clear_away(spare), *_delete([new])))
    return PodPlan((*_clear_away(spare), *_delete(handover.pods)))


def asks_in_vain(seen: Observation, pod: PodView) -> bool:
    """No node offers what the unscheduled pod asks for, but one the same by another name.

    The resources of a pod cannot be changed, so its successor asks for what there is.
    """
    needed = seen.requirement
    if pod.unschedulable is None or needed is None or not needed.instead:
        return False
    nodes = seen.nodes.values()
    if any(map(needed.offered_by, nodes)):
        return False
    return any(other.offered_by(node) for other in needed.instead for node in nodes)


def is_kept_off_in_vain(seen: Observation, pod: PodView) -> bool:
    """No node takes the pod, and what it was to take over from is gone: any node will do now."""
    unready = pod.unready
    kept = unready is not None and unready.kept_off != "" and pod.unschedulable is not None
    return kept and not seen.roles.leaving


def _create(seen: Observation, handover: Handover, settings: Settings) -> PodPlan:
    if handover.pods:
        return PodPlan(_delete(handover.pods))
    old = seen.roles.previous
    mine = [pod for pod in seen.pods if pod.template_hash == seen.wanted]
    ended = [pod for pod in mine if pod.ended]
    # The latest pod that failed stays until its successor exists: its name carries the count of
    # attempts, and the back-off depends on it.
    waited_for = [pod for pod in ended if pod.deleted is None]
    leaving = seen.roles.leaving
    if crowd(seen):
        # Of several that serve one is enough, beside the one that is spoken of.
        spare = [pod for pod in leaving if pod is not seen.roles.serving_pod]
        spare.sort(key=lambda pod: pod.attempt)
        cleared = _clear_away(_leftovers(seen, keep=[*old, *ended]))
        return PodPlan((*cleared, *_delete(spare[:-1])))
    # A successor is to leave as well. Where the news of nodes is late, so would be the next, and
    # where devices turn unhealthy, those of the next may.
    again = beside_a_move(seen) or [pod for pod in leaving if pod.unhealthy and pod.attempt]
    waited_for += leaving if again else ()
    due = max((_due(pod, settings) for pod in waited_for), default=seen.now)
    if due > seen.now:
        return PodPlan(_clear_away(_leftovers(seen, keep=[*old, *ended])), requeue_at=due)
    claim = seen.requirement.claim if seen.requirement is not None else None
    unclaimable = bool(seen.impossible) or (claim is not None and not may_claim(seen, claim))
    if unclaimable or not seen.may_create("pods"):
        return PodPlan(_clear_away(_leftovers(seen, keep=[*old, *ended])))
    performer = seen.performer
    body = build_pod(
        performer.name,
        performer.namespace,
        performer.uid,
        seen.spec.avs_address,
        seen.wanted,
        seen.next_attempt,
        seen.pod_spec,
    )
    if claim is not None:
        body = with_claim(body, performer.name, claim)
    if seen.going is not None:
        body = kept_off(body, seen.going)
    create = Write("create", "pods", performer.namespace, body["metadata"]["name"], body)
    return PodPlan((create, *_clear_away(_leftovers(seen, keep=old))))


def _due(pod: PodView, settings: Settings) -> float:
    return pod.created + backoff(settings.replacement_base, settings.replacement_limit, pod.attempt)


def _leftovers(seen: Observation, keep: Collection[PodView]) -> list[PodView]:
    return [pod for pod in seen.pods if pod not in keep]


def _clear_away(pods: Iterable[PodView]) -> tuple[Write, ...]:
    """Delete pods that do not serve, unless they have changed since they were seen.

    One that has become Ready meanwhile may be what serves.
    """
    return tuple(
        _delete_one(pod, {"uid": pod.uid, "resourceVersion": pod.version})
        for pod in pods
        if pod.deleted is None
    )


def _delete(pods: Iterable[PodView]) -> tuple[Write, ...]:
    return tuple(_delete_one(pod, {"uid": pod.uid}) for pod in pods if pod.deleted is None)


def _delete_one(pod: PodView, preconditions: JSON) -> Write:
    return Write("delete", "pods", pod.namespace, pod.name, {"preconditions": preconditions})
