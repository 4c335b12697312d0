"""What keeps the wanted pod from serving: the one place where a fault's reason is decided.

What is wrong with a single container is decided in container_faults.py.
"""

from hourglass_kube.node import NodeView
from hourglass_operator.controller.container_faults import container_fault, crashed
from hourglass_operator.controller.endings import awaited
from hourglass_operator.controller.explanations import Explanations
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import RESIZE, Refusal
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.upgrade import Handover
from hourglass_statemachine import Fault, Reason

# Kubelet admission refuses for want of a device with one of these; the pod never recovers.
_DEVICE_ADMISSION = ("UnexpectedAdmissionError",)
_OUT_OF = "OutOf"
_NEEDED = ("pods", "services", "resourceclaimtemplates")
"""What a Performer cannot serve without."""
_REFUSED = {
    "pods": Reason.POD_REJECTED,
    "services": Reason.SERVICE_REJECTED,
    "resourceclaimtemplates": Reason.CLAIM_REJECTED,
    "poddisruptionbudgets": Reason.BUDGET_REJECTED,
    RESIZE: Reason.POD_REJECTED,
}
# Where several containers are at fault: whatever comes first must be mended first.
_ORDER = (Reason.IMAGE_PULL_FAILED, Reason.CONTAINER_FAILED, Reason.POD_NOT_READY)


def find_fault(seen: Observation, handover: Handover, explanations: Explanations) -> Fault | None:
    """What keeps the wanted pod from serving; None if nothing is known to."""
    if seen.invalid:
        return Fault(Reason.POD_REJECTED, f"no pod can be made of {seen.invalid}", permanent=True)
    refusal = next((r for r in seen.refusals if not r.transient and r.resource in _NEEDED), None)
    pod, lost = seen.roles.candidate, seen.roles.lost
    if refusal is not None and not (pod is None and handover.pods):
        kept = handover.kept if pod is None and refusal.resource == "pods" else ""
        message = "; ".join(filter(None, (refusal.message, kept)))
        return Fault(refused(refusal), message, permanent=True)
    if pod is None and seen.impossible:
        return Fault(Reason.HARDWARE_UNAVAILABLE, seen.impossible, permanent=True)
    if pod is None:
        if lost is None or handover.pods:
            return None
        return ended_pod(lost)
    if pod.scheduling_gates:
        # Waiting for its turn is no fault.
        return None
    if pod.unschedulable is not None and not pod.nominated:
        explanation = explanations.of(seen, pod.unschedulable)
        hardware = explanation.hardware
        reason = Reason.HARDWARE_UNAVAILABLE if hardware else Reason.SCHEDULING_FAILED
        first = awaited(seen, handover.pods) if handover.pods else handover.kept
        return Fault(reason, "; ".join(filter(None, (first, explanation.message))))
    if not pod.node:
        return ended_pod(lost) if lost else None
    if pod.ready:
        return crash_of_a_ready_pod(seen, pod)
    fault = started_pod(pod, seen.nodes.get(pod.node))
    if fault is None and seen.stalled is not None and not seen.stalled.own:
        fault = Fault(Reason.POD_NOT_READY, seen.stalled.place)
    progressing = next((c for c in seen.status.conditions if c.type == "Progressing"), None)
    if fault is None or progressing is None or seen.status.pod_name != pod.name:
        return fault
    return standing(fault, progressing.reason, progressing.status == "True")


def refused(refusal: Refusal) -> Reason:
    """What the refusal of a pod, or of what a pod needs, is called."""
    if refusal.foreign:
        return Reason.NAME_CONFLICT
    return _REFUSED[refusal.resource]


def ended_pod(pod: PodView) -> Fault:
    """Why a pod that has ended, or is being deleted by somebody else, serves no more."""
    said = f": {pod.message}" if pod.message else ""
    if pod.reason in _DEVICE_ADMISSION or (pod.reason.startswith(_OUT_OF) and "/" in pod.reason):
        return Fault(
            Reason.HARDWARE_UNAVAILABLE,
            f"node {pod.node} refused pod {pod.name} ({pod.reason}){said}; it will be replaced",
        )
    why = pod.disrupted or pod.reason or ("deleted" if pod.deleted is not None else pod.phase)
    where = f" on node {pod.node}" if pod.node else ""
    return Fault(Reason.POD_LOST, f"pod {pod.name}{where} was lost ({why}){said}")


def started_pod(pod: PodView, node: NodeView | None) -> Fault | None:
    """What is wrong with a pod that has a node and is not Ready; None if it is just starting."""
    if node is None or not node.ready:
        state = "is not ready" if node else "is gone"
        return Fault(Reason.POD_LOST, f"node {pod.node} of pod {pod.name} {state}")
    faults = [
        fault
        for container in pod.unready_containers
        if (fault := container_fault(pod, container)) is not None
    ]
    if not faults:
        return None
    return Fault(
        min((fault.reason for fault in faults), key=_ORDER.index),
        "; ".join(fault.message for fault in faults),
        permanent=any(fault.permanent for fault in faults),
    )


def crash_of_a_ready_pod(seen: Observation, pod: PodView) -> Fault | None:
    """A pod is not well again as soon as it is ready: many crash loops are ready each time.

    On trial it is the fault that it was before, in the same words: one that alternated with its
    absence would be written each time.
    """
    container = pod.restarted
    if container is None or container.last_exit is None:
        return None
    if seen.available_at is not None:
        return crashed(pod, container, container.last_exit)
    if seen.steady_at is None:
        return None
    again = f" and was started again (restarts: {container.restarts})"
    return crashed(pod, container, container.last_exit, again=again)


def standing(fault: Fault, reason: str, progressing: bool) -> Fault:
    """Keep a fault permanent once it was called so.

    Between two attempts the kubelet shows the milder form of the same fault again (ErrImagePull,
    a fresh container); Failed must not flap with it. `reason` and `progressing` are those of the
    stored condition Progressing for the same pod.
    """
    if not progressing and reason == fault.reason:
        return Fault(fault.reason, fault.message, permanent=True)
    return fault
