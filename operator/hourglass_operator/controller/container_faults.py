"""What is wrong with one container of a pod that is not Ready.

Waiting reasons are those of the kubelet:
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/images/types.go and
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kuberuntime/kuberuntime_container.go
"""

from hourglass_operator.controller.pod_view import ContainerView, Exit, PodView
from hourglass_operator.resources import names
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
    "PreCreateHookError",
    "RunContainerError",
    "PreStartHookError",
    "PostStartHookError",
)


_NOTICED_WITHIN = 5.0
"""Seconds from the end of a container to the condition by which a busy kubelet reports it.

Seen on a real one: more than two. Times are whole seconds, and the exit is noted first.
"""


def container_fault(pod: PodView, container: ContainerView) -> Fault | None:
    """What is wrong with a container that is not ready; None if it is just starting."""
    own = container.name == names.CONTAINER
    who = "the container" if own else container.title
    if container.waiting in _PULL_GIVEN_UP or container.waiting in _PULLING_AGAIN:
        image = "the image" if own else f"the image of {who}"
        return Fault(
            Reason.IMAGE_PULL_FAILED,
            f"{image} cannot be pulled: {_pull_error(container)}",
            permanent=container.waiting in _PULL_GIVEN_UP,
        )
    if container.exit:
        return crashed(pod, container, container.exit)
    ended = container.last_exit
    if ended and (container.waiting == "CrashLoopBackOff" or _since_ready(ended, pod)):
        return crashed(pod, container, ended, permanent=container.waiting in _CONTAINER_STUCK)
    if container.waiting in _CONTAINER_STUCK:
        return Fault(
            Reason.CONTAINER_FAILED,
            f"{who} cannot be started: {container.waiting}: {container.waiting_message}",
            permanent=True,
        )
    # A container that has never been ready started after Ready was set to False.
    since = container.started
    if since is not None and pod.ready_changed > since and not container.init:
        runs = f"pod {pod.name} on node {pod.node} runs"
        if not own:
            runs = f"{who} of {runs}"
        return Fault(Reason.POD_NOT_READY, f"{runs} but fails its readiness probe")
    return None


def crashed(
    pod: PodView,
    container: ContainerView,
    ended: Exit,
    *,
    permanent: bool = False,
    again: str = "",
) -> Fault:
    """A container has ended; with restartPolicy Always it is started again."""
    own = container.name == names.CONTAINER
    who, which = ("the container", "") if own else (container.title, f" -c {container.name}")
    return Fault(
        Reason.CONTAINER_FAILED,
        f"{who} ended with {_exit(ended)}{again}; its log says more:"
        f" kubectl logs {pod.name} -n {pod.namespace}{which} --previous",
        permanent,
    )


def _since_ready(ended: Exit, pod: PodView) -> bool:
    """The exit is why the pod is not ready, not one of long ago."""
    return ended.finished is None or ended.finished + _NOTICED_WITHIN >= pod.ready_changed


def _exit(ended: Exit) -> str:
    return f"exit code {ended.code}" + (f" ({ended.reason})" if ended.reason else "")


def _pull_error(container: ContainerView) -> str:
    # ImagePullBackOff repeats the error behind "ErrImagePull: "; the two alternate for as long as
    # the image is missing, and a message that alternated with them would be written each time.
    said = container.waiting_message
    return said.partition("ErrImagePull: ")[2] or said or container.waiting
