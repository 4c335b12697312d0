"""Writes that make pods come and go: creation, replacement, upgrade and clean-up."""

from collections.abc import Iterable
from dataclasses import dataclass

from hourglass_kube.backoff import backoff
from hourglass_operator.api import UpgradeStrategyType
from hourglass_operator.controller.assess import candidate_pod, replaces, serving_pod
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.upgrade import frees_hardware
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.resources.pod import build_pod
from hourglass_statemachine import Serving


@dataclass(frozen=True, slots=True)
class PodPlan:
    """Writes on pods, and when (seconds) to look again though nothing changes."""

    writes: tuple[Write, ...] = ()
    wake_at: float | None = None


def plan_pods(seen: Observation, catalogue: Catalogue, settings: Settings) -> PodPlan:
    """The writes that lead to exactly one pod, of the wanted template."""
    if seen.performer.deleted is not None:
        return PodPlan(_delete(seen.pods))
    if seen.invalid:
        return PodPlan()
    serving, pod = serving_pod(seen)
    if serving is Serving.WANTED:
        return PodPlan(_delete(other for other in seen.pods if other is not pod))
    new = candidate_pod(seen)
    if new is None:
        return _create(seen, catalogue, settings)
    # The template that is being replaced stays until the new one serves; whatever else is left of
    # interrupted upgrades and failed pods goes.
    old = [pod for pod in seen.pods if pod.alive and pod.template_hash == replaces(seen)]
    spare = _leftovers(seen, keep=[new, *old])
    makes_way = [pod for pod in old if _makes_way(seen, pod, new, catalogue)]
    return PodPlan(_delete([*spare, *makes_way]))


def _makes_way(seen: Observation, old: PodView, new: PodView, catalogue: Catalogue) -> bool:
    strategy = seen.spec.upgrade_strategy.type
    if strategy is UpgradeStrategyType.AUTO:
        return frees_hardware(seen, old, new, catalogue)
    return strategy is UpgradeStrategyType.RECREATE


def _create(seen: Observation, catalogue: Catalogue, settings: Settings) -> PodPlan:
    recreate = seen.spec.upgrade_strategy.type is UpgradeStrategyType.RECREATE
    previous = [pod for pod in seen.pods if pod.template_hash != seen.wanted]
    if recreate and previous:
        return PodPlan(_delete(previous))
    old = [pod for pod in previous if pod.alive and pod.template_hash == replaces(seen)]
    ended = [pod for pod in seen.pods if pod.template_hash == seen.wanted and pod.ended]
    # The latest pod that failed stays until its successor exists: its name carries the count of
    # attempts, and the back-off depends on it.
    due = max((_due(pod, settings) for pod in ended if pod.deleted is None), default=seen.now)
    if due > seen.now:
        return PodPlan(_delete(_leftovers(seen, keep=[*old, *ended])), wake_at=due)
    if not seen.may_create("pods"):
        return PodPlan(_delete(_leftovers(seen, keep=[*old, *ended])))
    performer = seen.performer
    attempts = [pod.attempt for pod in seen.pods if pod.template_hash == seen.wanted]
    body = build_pod(
        performer.name,
        performer.namespace,
        performer.uid,
        seen.spec,
        seen.wanted,
        max(attempts, default=-1) + 1,
        catalogue,
    )
    create = Write("create", "pods", performer.namespace, body["metadata"]["name"], body)
    return PodPlan((create, *_delete(_leftovers(seen, keep=old))))


def _due(pod: PodView, settings: Settings) -> float:
    return pod.created + backoff(settings.replacement_base, settings.replacement_limit, pod.attempt)


def _leftovers(seen: Observation, keep: list[PodView]) -> list[PodView]:
    return [pod for pod in seen.pods if pod not in keep]


def _delete(pods: Iterable[PodView]) -> tuple[Write, ...]:
    return tuple(
        Write("delete", "pods", pod.namespace, pod.name, {"preconditions": {"uid": pod.uid}})
        for pod in pods
        if pod.deleted is None
    )
