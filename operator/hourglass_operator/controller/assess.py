"""The second step of a pass: from what was observed to the facts that decide the phase."""

from dataclasses import replace

from hourglass_operator.controller.budget import may_be_evicted, unprotected
from hourglass_operator.controller.endings import awaited, crowd, kept
from hourglass_operator.controller.explanations import Explanations
from hourglass_operator.controller.moves import unhealthy
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.pod_faults import crash_of_a_ready_pod, find_fault, refused
from hourglass_operator.controller.pod_repair import repair_pods
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.repairs import cut_off
from hourglass_operator.controller.resizes import detail as detail_of_resize
from hourglass_operator.controller.rival import MESSAGE, is_contested
from hourglass_operator.controller.service import plan_service
from hourglass_operator.controller.upgrade import Handover
from hourglass_operator.controller.views import timestamp
from hourglass_operator.hardware.explain import offers
from hourglass_operator.resources import names
from hourglass_statemachine import Facts, Fault, Progress, Reason, Serving


def assess(seen: Observation, handover: Handover, explanations: Explanations) -> Facts:
    """The facts about a Performer."""
    if seen.deleting:
        return Facts(deleting=True, detail=_deletion_detail(seen))
    roles, pod = seen.roles, seen.roles.serving_pod
    rival = Fault(Reason.NAME_CONFLICT, MESSAGE) if is_contested(seen) else None
    if pod is not None and roles.serving is Serving.WANTED:
        return Facts(
            serving=roles.serving,
            detail=f"pod {pod.name} on node {pod.node} serves at {seen.endpoint}",
            fault=rival or _with_refusals(seen, crash_of_a_ready_pod(seen, pod) or _cut_off(seen)),
            impaired=_impaired(seen, pod),
            resizing=detail_of_resize(pod, seen.resources) if seen.resized else "",
        )
    progress, detail = _progress(seen, handover)
    fault = _with_refusals(seen, find_fault(seen, handover, explanations) or _cut_off(seen))
    if pod is not None:
        how = "serves" if roles.serving is Serving.NEW else "still serves"
        if seen.moves:
            detail = f"{seen.moves}, so the Performer moves: {detail}"
        if why := seen.resizing.replaced:
            detail = f"{why}, so another pod takes its place: {detail}"
        serves = f"pod {pod.name} on node {pod.node} {how} at {seen.endpoint}"
        # A fault says what holds the other pod up.
        detail = serves if fault else f"{serves}; {detail}"
    # A trial is no delay, and may be longer than the deadline.
    on_the_way = not roles.on_trial or fault is not None
    return Facts(
        serving=roles.serving,
        upgrading=roles.replaced is not None,
        progress=progress,
        detail=detail,
        fault=rival or fault,
        deadline_exceeded=on_the_way and seen.now >= seen.deadline,
        impaired=_impaired(seen, pod) if pod else None,
        evictable=may_be_evicted(seen),
    )


def _cut_off(seen: Observation) -> Fault | None:
    """Somebody else sets the Service or the labels of the pod so that clients do not reach it."""
    if not seen.memory.repairs or seen.invalid:
        return None
    message = cut_off(seen, (*plan_service(seen), *repair_pods(seen)))
    return Fault(Reason.REPAIR_UNDONE, message) if message else None


def _impaired(seen: Observation, pod: PodView) -> Fault | None:
    """What the pod that serves lacks of what the spec asks for."""
    ill = Fault(Reason.HARDWARE_UNAVAILABLE, unhealthy(pod)) if pod.unhealthy else None
    return ill or _lost_hardware(seen, pod) or unprotected(seen) or _unwritten(seen)


def _unwritten(seen: Observation) -> Fault | None:
    """What the API server does not let the operator write, though the pod serves.

    One failure is none: the next try follows within seconds, and most of them succeed.
    """
    refusal = next((each for each in seen.refusals if each.transient and each.failures > 1), None)
    if refusal is None:
        return None
    reason = Reason.REPAIR_UNDONE if refusal.resource == "performers" else refused(refusal)
    return Fault(reason, "; ".join(_held_up(seen)))


def _held_up(seen: Observation) -> list[str]:
    return [refusal.message for refusal in seen.refusals if refusal.transient]


def _with_refusals(seen: Observation, fault: Fault | None) -> Fault | None:
    """The fault, with what cannot be written besides."""
    if fault is None:
        return None
    held_up = [each for each in _held_up(seen) if each not in fault.message]
    return replace(fault, message="; ".join([fault.message, *held_up]))


def _lost_hardware(seen: Observation, pod: PodView) -> Fault | None:
    """The serving pod's node no longer offers what is required."""
    needed, node = seen.requirement, seen.nodes.get(pod.node)
    if needed is None or node is None or pod.template_hash != seen.wanted:
        return None
    if offers(node, needed):
        return None
    return Fault(
        Reason.HARDWARE_UNAVAILABLE,
        f"node {pod.node} no longer offers {needed}, which pod {pod.name} was placed there for",
    )


def _progress(seen: Observation, handover: Handover) -> tuple[Progress, str]:
    """How far the wanted pod has come, and what holds it up, for a person."""
    pod = seen.roles.candidate
    progress, detail = _step(seen, handover, pod)
    held_up = _held_up(seen)
    created = pod is None and any(each.verb == "create" for each in seen.refusals)
    return progress, "; ".join(held_up if held_up and created else [detail, *held_up])


def _step(seen: Observation, handover: Handover, pod: PodView | None) -> tuple[Progress, str]:
    if pod is None:
        if handover.pods:
            return Progress.POD_PENDING, awaited(seen, handover.pods)
        if pods := crowd(seen):
            return Progress.POD_PENDING, awaited(seen, pods)
        return Progress.POD_PENDING, "the pod is being created"
    if pod.scheduling_gates:
        gates = ", ".join(pod.scheduling_gates)
        plural = "s" if len(pod.scheduling_gates) > 1 else ""
        return Progress.GATED, f"pod {pod.name} is held back by scheduling gate{plural} {gates}"
    if pod.nominated and not pod.node:
        where = f"on node {pod.nominated}"
        return Progress.POD_PENDING, f"pod {pod.name} waits until others have made room {where}"
    if not pod.node:
        other = pod.unready.scheduler if pod.unready is not None else ""
        scheduler = f"scheduler {other}" if other else "the scheduler"
        return Progress.POD_PENDING, f"pod {pod.name} waits for {scheduler}"
    if seen.stalled is not None:
        return Progress.SCHEDULED, seen.stalled.place
    if not pod.ready:
        return Progress.SCHEDULED, f"pod {pod.name} is starting on node {pod.node}"
    if seen.ready_since is not None and seen.roles.on_trial:
        since = timestamp(seen.ready_since.at)
        seconds = seen.spec.upgrade_strategy.min_ready_seconds
        return Progress.POD_READY, f"pod {pod.name} must be ready for {seconds} s, since {since}"
    service = names.service_name(seen.performer.name)
    return Progress.POD_READY, f"pod {pod.name} is ready and joins Service {service}"


def _deletion_detail(seen: Observation) -> str:
    waits = awaited(seen, seen.draining) if seen.draining else kept(seen.pods)
    return "; ".join([waits or "no pod is left", *_held_up(seen)])
