"""Which running containers are ended to be started again, and why; and when a whole pod is."""

from hourglass_simulator.kubelet import restart
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.pod import NodePod

RESIZED, DEFINED = "resize", "definition"
"""Why a container is to be restarted if not for a probe."""


def reason(container: Container, pod_policy: str) -> str:
    """The message of the Event Killing.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kuberuntime/kuberuntime_manager.go#L1136
    """
    subject = f"{'Init container' if container.init else 'Container'} {container.name}"
    if container.failed == RESIZED:
        return f"{subject} resize requires restart"
    why = "definition changed"
    if container.failed != DEFINED:
        why = f"failed {container.failed} probe"
    restarts = not container.init and _restarts(container, pod_policy)
    return f"{subject} {why}{', will be restarted' if restarts else ''}"


def nothing_left(pod: NodePod) -> bool:
    """No container of its own runs on or is started, so that sidecars are ended too."""
    if not pod.initialized or not any(c.running for c in pod.all_containers):
        return False
    policy = pod.restart_policy
    return not any(
        _restarts(c, policy) if c.failed else c.running or c.to_start(policy)
        for c in pod.containers
    )


def _restarts(container: Container, pod_policy: str) -> bool:
    return container.failed in (DEFINED, RESIZED) or restart.restarts_when_killed(
        container.spec, pod_policy, rules=container.rules
    )
