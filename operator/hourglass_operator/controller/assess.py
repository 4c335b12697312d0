"""The second step of a pass: from what was observed to the facts that decide the phase."""

from dataclasses import replace

from hourglass_operator.controller.faults import ended_pod, standing, started_pod
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Refusal
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.views import seconds
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.explain import Explanation, explain, offers
from hourglass_operator.hardware.requirement import requirement
from hourglass_operator.resources import names
from hourglass_operator.resources.pod import build_pod_spec
from hourglass_statemachine import Facts, Fault, Progress, Reason, Serving


def assess(seen: Observation, catalogue: Catalogue) -> Facts:
    """Facts about a Performer; pure."""
    if seen.performer.deleted is not None:
        return Facts(deleting=True, detail=_farewell(seen))
    serving, pod = serving_pod(seen)
    upgrading = serving is not Serving.WANTED and replaces(seen) is not None
    if serving is Serving.WANTED:
        assert pod is not None
        return Facts(
            serving=serving,
            detail=f"pod {pod.name} on node {pod.node} serves at {seen.endpoint}",
            lost_hardware=lost_hardware(seen, pod, catalogue),
        )
    candidate = candidate_pod(seen)
    progress, detail = _progress(seen, candidate)
    if pod is not None:
        detail = f"pod {pod.name} on node {pod.node} still serves at {seen.endpoint}; {detail}"
    return Facts(
        serving=serving,
        upgrading=upgrading,
        progress=progress,
        detail=detail,
        fault=_fault(seen, candidate, catalogue),
        deadline_exceeded=seen.now >= deadline(seen),
        lost_hardware=lost_hardware(seen, pod, catalogue) if pod else "",
    )


def serving_pod(seen: Observation) -> tuple[Serving, PodView | None]:
    """The pod that serves; one of the wanted template goes before any other."""
    serving = [pod for pod in seen.pods if seen.serves(pod)]
    wanted = [pod for pod in serving if pod.template_hash == seen.wanted]
    if wanted:
        return Serving.WANTED, wanted[0]
    if serving:
        return Serving.PREVIOUS, serving[0]
    return Serving.NOTHING, None


def replaces(seen: Observation) -> str | None:
    """The template hash that the wanted template takes the place of; None without an upgrade.

    While nothing serves in the midst of an upgrade, only the status knows what served before it.
    """
    serving, pod = serving_pod(seen)
    if serving is Serving.WANTED:
        return None
    if pod is not None:
        return pod.template_hash
    before = seen.status.serving_template_hash
    return before if before != seen.wanted else None


def candidate_pod(seen: Observation) -> PodView | None:
    """The pod of the wanted template that is to serve: the latest one that is alive."""
    alive = [pod for pod in seen.pods if pod.alive and pod.template_hash == seen.wanted]
    return max(alive, key=lambda pod: (pod.ready, bool(pod.node), pod.attempt), default=None)


def lost_pod(seen: Observation) -> PodView | None:
    """The latest pod of the wanted template that is at its end, or on its way there."""
    lost = [pod for pod in seen.pods if not pod.alive and pod.template_hash == seen.wanted]
    return max(lost, key=lambda pod: pod.attempt, default=None)


def progress_start(seen: Observation) -> float:
    """Since when (seconds) the wanted template has been on its way to serve."""
    status = seen.status
    stored = seconds(status.progress_start_time)
    if stored is None or status.template_hash != seen.wanted:
        return seen.now
    return stored


def deadline(seen: Observation) -> float:
    """When (seconds) the wanted template must serve."""
    return progress_start(seen) + seen.spec.upgrade_strategy.progress_deadline_seconds


def lost_hardware(seen: Observation, pod: PodView, catalogue: Catalogue) -> str:
    """Which required hardware the serving pod's node no longer offers; empty if it offers all."""
    needed = requirement(seen.spec, catalogue)
    node = seen.nodes.get(pod.node)
    if needed is None or node is None or pod.template_hash != seen.wanted:
        return ""
    if offers(node, needed):
        return ""
    return f"node {pod.node} no longer offers {needed}, which pod {pod.name} was placed there for"


def explanation(seen: Observation, pod: PodView, catalogue: Catalogue) -> Explanation:
    """Why the scheduler finds no node for a pod."""
    return explain(
        requirement(seen.spec, catalogue),
        tuple(seen.nodes.values()),
        seen.used,
        build_pod_spec(seen.spec, catalogue),
        pod.unschedulable or "",
    )


def _fault(seen: Observation, pod: PodView | None, catalogue: Catalogue) -> Fault | None:
    if seen.invalid:
        return Fault(Reason.POD_REJECTED, f"no pod can be made of {seen.invalid}", permanent=True)
    refusal = next((refusal for refusal in seen.refusals if not refusal.passing), None)
    if refusal is not None:
        return Fault(_refused(refusal), refusal.message, permanent=True)
    lost = lost_pod(seen)
    if pod is None:
        if lost is None:
            return None
        loss = ended_pod(lost)
        return replace(loss, message="; ".join([loss.message, *_held_up(seen)]))
    if pod.unschedulable is not None:
        told = explanation(seen, pod, catalogue)
        reason = Reason.HARDWARE_UNAVAILABLE if told.hardware else Reason.SCHEDULING_FAILED
        return Fault(reason, told.message)
    if not pod.node:
        return ended_pod(lost) if lost else None
    if pod.ready:
        return None
    fault = started_pod(pod, seen.nodes.get(pod.node))
    progressing = next((c for c in seen.status.conditions if c.type == "Progressing"), None)
    if fault is None or progressing is None or seen.status.pod_name != pod.name:
        return fault
    return standing(fault, progressing.reason, progressing.status == "True")


def _refused(refusal: Refusal) -> Reason:
    if refusal.foreign:
        return Reason.NAME_CONFLICT
    return Reason.POD_REJECTED if refusal.resource == "pods" else Reason.SERVICE_REJECTED


def _progress(seen: Observation, pod: PodView | None) -> tuple[Progress, str]:
    progress, detail = _step(seen, pod)
    held_up = _held_up(seen)
    return progress, "; ".join([detail, *held_up] if pod or not held_up else held_up)


def _held_up(seen: Observation) -> list[str]:
    return [refusal.message for refusal in seen.refusals if refusal.passing]


def _step(seen: Observation, pod: PodView | None) -> tuple[Progress, str]:
    if pod is None:
        leaving = [p.name for p in seen.pods if not p.alive]
        if leaving:
            return Progress.POD_PENDING, f"waiting for the end of pod {', '.join(leaving)}"
        return Progress.POD_PENDING, "the pod is being created"
    if not pod.node:
        return Progress.POD_PENDING, f"pod {pod.name} waits for the scheduler"
    if not pod.ready:
        return Progress.SCHEDULED, f"pod {pod.name} is starting on node {pod.node}"
    service = names.service_name(seen.performer.name)
    return Progress.POD_READY, f"pod {pod.name} is ready and joins Service {service}"


def _farewell(seen: Observation) -> str:
    if not seen.pods:
        return "no pod is left"
    pods = ", ".join(pod.name for pod in seen.pods)
    return f"waiting for the end of pod {pods}"
