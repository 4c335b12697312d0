"""The second step of a pass: from what was observed to the facts that decide the phase."""

from hourglass_operator.controller.explanations import Explanations
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.pod_faults import find_fault
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.hardware.explain import offers
from hourglass_operator.resources import names
from hourglass_statemachine import Facts, Progress, Serving


def assess(seen: Observation, explanations: Explanations) -> Facts:
    """The facts about a Performer."""
    if seen.deleting:
        return Facts(deleting=True, detail=_deletion_detail(seen))
    roles, pod = seen.roles, seen.roles.serving_pod
    if pod is not None and roles.serving is Serving.WANTED:
        return Facts(
            serving=roles.serving,
            detail=f"pod {pod.name} on node {pod.node} serves at {seen.endpoint}",
            lost_hardware=_lost_hardware(seen, pod),
        )
    progress, detail = _progress(seen)
    if pod is not None:
        detail = f"pod {pod.name} on node {pod.node} still serves at {seen.endpoint}; {detail}"
    return Facts(
        serving=roles.serving,
        upgrading=roles.replaced is not None,
        progress=progress,
        detail=detail,
        fault=find_fault(seen, explanations),
        deadline_exceeded=seen.now >= seen.deadline,
        lost_hardware=_lost_hardware(seen, pod) if pod else "",
    )


def _lost_hardware(seen: Observation, pod: PodView) -> str:
    """Which required hardware the serving pod's node no longer offers; empty if it offers all."""
    needed, node = seen.requirement, seen.nodes.get(pod.node)
    if needed is None or node is None or pod.template_hash != seen.wanted:
        return ""
    if offers(node, needed):
        return ""
    return f"node {pod.node} no longer offers {needed}, which pod {pod.name} was placed there for"


def _progress(seen: Observation) -> tuple[Progress, str]:
    """How far the wanted pod has come, and what holds it up, for a person."""
    pod = seen.roles.candidate
    progress, detail = _step(seen, pod)
    held_up = [refusal.message for refusal in seen.refusals if refusal.transient]
    return progress, "; ".join([detail, *held_up] if pod or not held_up else held_up)


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


def _deletion_detail(seen: Observation) -> str:
    if not seen.pods:
        return "no pod is left"
    pods = ", ".join(pod.name for pod in seen.pods)
    return f"waiting for the end of pod {pods}"
