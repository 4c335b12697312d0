"""Writes that make pods come and go: creation, replacement, upgrade and clean-up."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from hourglass_kube.backoff import backoff
from hourglass_operator.api import UpgradeStrategyType
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.upgrade import must_go_first
from hourglass_operator.resources.pod import build_pod
from hourglass_statemachine import Serving


@dataclass(frozen=True, slots=True)
class PodPlan:
    """Writes on pods, and when (seconds) to look again though nothing changes."""

    writes: tuple[Write, ...] = ()
    requeue_at: float | None = None


def plan_pods(seen: Observation, settings: Settings) -> PodPlan:
    """The writes that lead to exactly one pod, of the wanted template."""
    if seen.deleting:
        return PodPlan(_delete(seen.pods))
    if seen.invalid:
        return PodPlan()
    roles, new = seen.roles, seen.roles.candidate
    if roles.serving is Serving.WANTED:
        return PodPlan(_delete(pod for pod in seen.pods if pod is not roles.serving_pod))
    if new is None:
        return _create(seen, settings)
    # The template that is being replaced stays until the new one serves; whatever else is left of
    # interrupted upgrades and failed pods goes.
    spare = _leftovers(seen, keep=[new, *roles.previous])
    first = [pod for pod in roles.previous if must_go_first(seen, pod, new)]
    return PodPlan(_delete([*spare, *first]))


def _create(seen: Observation, settings: Settings) -> PodPlan:
    recreate = seen.spec.upgrade_strategy.type is UpgradeStrategyType.RECREATE
    others = [pod for pod in seen.pods if pod.template_hash != seen.wanted]
    if recreate and others:
        return PodPlan(_delete(others))
    old = seen.roles.previous
    mine = [pod for pod in seen.pods if pod.template_hash == seen.wanted]
    ended = [pod for pod in mine if pod.ended]
    # The latest pod that failed stays until its successor exists: its name carries the count of
    # attempts, and the back-off depends on it.
    due = max((_due(pod, settings) for pod in ended if pod.deleted is None), default=seen.now)
    if due > seen.now:
        return PodPlan(_delete(_leftovers(seen, keep=[*old, *ended])), requeue_at=due)
    if not seen.may_create("pods"):
        return PodPlan(_delete(_leftovers(seen, keep=[*old, *ended])))
    performer = seen.performer
    body = build_pod(
        performer.name,
        performer.namespace,
        performer.uid,
        seen.spec.avs_address,
        seen.wanted,
        max((pod.attempt for pod in mine), default=-1) + 1,
        seen.pod_spec,
    )
    create = Write("create", "pods", performer.namespace, body["metadata"]["name"], body)
    return PodPlan((create, *_delete(_leftovers(seen, keep=old))))


def _due(pod: PodView, settings: Settings) -> float:
    return pod.created + backoff(settings.replacement_base, settings.replacement_limit, pod.attempt)


def _leftovers(seen: Observation, keep: Collection[PodView]) -> list[PodView]:
    return [pod for pod in seen.pods if pod not in keep]


def _delete(pods: Iterable[PodView]) -> tuple[Write, ...]:
    return tuple(
        Write("delete", "pods", pod.namespace, pod.name, {"preconditions": {"uid": pod.uid}})
        for pod in pods
        if pod.deleted is None
    )
