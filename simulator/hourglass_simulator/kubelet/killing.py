"""Ending one container: its hook, SIGTERM, SIGKILL.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kuberuntime/kuberuntime_container.go#L779
"""

from collections.abc import Callable

from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet import hooks
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.pod import NodePod
from hourglass_simulator.recorder import WARNING

MINIMUM_GRACE_SECONDS = 2.0
"""What is left to a container at least after its hook, whatever the grace period."""


def grace_of(pod: NodePod, probe: dict[str, object] | None = None) -> float:
    """The grace period of a container that its kubelet ends, for a probe or otherwise."""
    own = pod.object["metadata"].get("deletionGracePeriodSeconds")
    if own is None and probe is not None:
        own = probe.get("terminationGracePeriodSeconds")
    if own is None:
        own = pod.object["spec"].get("terminationGracePeriodSeconds", 30)
    return float(own)


def stop(
    pod: NodePod, container: Container, grace: float, end: Callable[[int], None]
) -> list[Timer]:
    """Run the hook and send the signals; `end` is called with the exit code."""
    clock, workload = pod.runtime.clock, container.workload
    hook, hook_seconds, timers = workload.pre_stop, 0.0, []

    def fail() -> None:
        pod.event(WARNING, "FailedPreStopHook", "PreStopHook failed", container.field_path)

    handled, cut = hooks.handler(container.spec, "preStop"), False
    if handled is not None and grace > 0:
        wanted = hooks.seconds(handled, hook)
        hook_seconds = min(wanted, grace)
        cut = wanted > grace and "exec" in handled
        if hooks.failure(handled, hook, container, pod.described, pod.ip) and not cut:
            timers.append(clock.after(hook_seconds, fail))
    left = max(grace - int(hook_seconds), MINIMUM_GRACE_SECONDS)
    seconds, code = workload.stops(left)

    def stopped() -> None:
        if cut:
            # It ends with its container.
            fail()
        end(code)

    timers.append(clock.after(hook_seconds + seconds, stopped))
    return timers
