"""What keeps the wanted pod from serving: the one place where a fault's reason is decided.

Waiting reasons are those of the kubelet:
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/images/types.go and
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kuberuntime/kuberuntime_container.go
"""

from dataclasses import replace

from hourglass_kube.node import NodeView
from hourglass_operator.controller.explanations import Explanations
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Refusal
from hourglass_operator.controller.pod_view import ContainerView, Exit, PodView
from hourglass_statemachine import Fault, Reason

# The kubelet tries these again at once or soon; only after that does it say ImagePullBackOff.
_PULLING_AGAIN = (
    "ErrImagePull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
)
_PULL_GIVEN_UP = ("ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_CONTAINER_STUCK = (
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreStartHookError",
    "PostStartHookError",
)
# Kubelet admission refuses for want of a device with one of these; the pod never recovers.
_DEVICE_ADMISSION = ("UnexpectedAdmissionError",)
_OUT_OF = "OutOf"


def find_fault(seen: Observation, explanations: Explanations) -> Fault | None:
    """What keeps the wanted pod from serving; None if nothing is known to."""
    if seen.invalid:
        return Fault(Reason.POD_REJECTED, f"no pod can be made of {seen.invalid}", permanent=True)
    refusal = next((refusal for refusal in seen.refusals if not refusal.transient), None)
    if refusal is not None:
        return Fault(_refused(refusal), refusal.message, permanent=True)
    pod, lost = seen.roles.candidate, seen.roles.lost
    if pod is None:
        if lost is None:
            return None
        loss = ended_pod(lost)
        held_up = [refusal.message for refusal in seen.refusals if refusal.transient]
        return replace(loss, message="; ".join([loss.message, *held_up]))
    if pod.unschedulable is not None:
        explanation = explanations.of(seen, pod.unschedulable)
        hardware = explanation.hardware
        reason = Reason.HARDWARE_UNAVAILABLE if hardware else Reason.SCHEDULING_FAILED
        return Fault(reason, explanation.message)
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
    container = pod.container
    if container.waiting in _PULL_GIVEN_UP or container.waiting in _PULLING_AGAIN:
        return Fault(
            Reason.IMAGE_PULL_FAILED,
            f"the image cannot be pulled: {_pull_error(container)}",
            permanent=container.waiting in _PULL_GIVEN_UP,
        )
    ended = container.exit or container.last_exit
    if ended and (container.waiting == "CrashLoopBackOff" or _since_ready(ended, pod)):
        return Fault(
            Reason.CONTAINER_FAILED,
            f"the container ended with {_exit(ended)}; its log says more: kubectl logs {pod.name}"
            f" -n {pod.namespace} --previous",
            permanent=container.waiting in _CONTAINER_STUCK,
        )
    if container.waiting in _CONTAINER_STUCK:
        return Fault(
            Reason.CONTAINER_FAILED,
            f"the container cannot be started: {container.waiting}: {container.waiting_message}",
            permanent=True,
        )
    # A container that has never been ready started after Ready was set to False.
    if container.started is not None and pod.ready_changed > container.started:
        return Fault(
            Reason.POD_NOT_READY,
            f"pod {pod.name} on node {pod.node} runs but fails its readiness probe",
        )
    return None


def standing(fault: Fault, reason: str, progressing: bool) -> Fault:
    """Keep a fault permanent once it was called so.

    Between two attempts the kubelet shows the milder form of the same fault again (ErrImagePull,
    a fresh container); Failed must not flap with it. `reason` and `progressing` are those of the
    stored condition Progressing for the same pod.
    """
    if not progressing and reason == fault.reason:
        return Fault(fault.reason, fault.message, permanent=True)
    return fault


def _since_ready(ended: Exit, pod: PodView) -> bool:
    """The exit is why the pod is not ready, not one of long ago.

    Times are whole seconds and the kubelet notes the exit before the condition: hence the 1.
    """
    return ended.finished is None or ended.finished + 1 >= pod.ready_changed


def _exit(ended: Exit) -> str:
    return f"exit code {ended.code}" + (f" ({ended.reason})" if ended.reason else "")


def _pull_error(container: ContainerView) -> str:
    # ImagePullBackOff repeats the error behind "ErrImagePull: "; the two alternate for as long as
    # the image is missing, and a message that alternated with them would be written each time.
    said = container.waiting_message
    return said.partition("ErrImagePull: ")[2] or said or container.waiting
