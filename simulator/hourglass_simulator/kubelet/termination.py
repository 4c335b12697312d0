"""The end of a pod: hooks, SIGTERM, SIGKILL, the last status, the deletion.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""

from collections.abc import Callable
from functools import partial

from hourglass_simulator.apiserver import APIError, CallTimeoutError
from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet import claims, killing
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.pod import NodePod, Stage
from hourglass_simulator.kubelet.statusmanager import StatusManager
from hourglass_simulator.recorder import NORMAL

STOPPED_SECONDS = 0.2
"""From the end of the last container to the status that says so."""
CLEANED_SECONDS = 0.6
"""From there to the pod's volumes and cgroups being gone, and with them the pod."""
RETRY_SECONDS = 1.0
UNPREPARED_SECONDS = 10.0
"""From an attempt to give claims back to the next, plus up to half of that."""


class Termination:
    """Ends one pod; begun once, it goes on to the end."""

    def __init__(self, pod: NodePod, statuses: StatusManager) -> None:
        self._pod = pod
        self._statuses = statuses
        self._clock = pod.runtime.clock
        self._timers: list[Timer] = []
        self._deadline = self._clock.now
        """When the grace period ends, in seconds of the clock."""
        self._stopping: list[Container] = []
        self._stopped = False
        self._missed: Callable[[], None] | None = None
        """What was due while the kubelet was away."""

    def begin(self, grace: float | None = None) -> None:
        """Write the status, then stop the containers; no container is started any more."""
        pod = self._pod
        if not pod.start_time:
            pod.start_time = pod.timestamp()
        pod.stage = Stage.TERMINATING
        if pod.ended_by_kubelet is None:
            self._statuses.report()
        announce(pod)
        if grace is None:
            grace = killing.grace_of(pod)
        self._deadline = self._clock.now + grace
        for container in (*pod.containers, *pod.ephemeral_containers):
            if container.running:
                self._stop(container, grace)
        self.check()

    def resume(self) -> None:
        """The kubelet is back: do now what was due while it was away."""
        if self._missed is not None:
            missed, self._missed = self._missed, None
            missed()
        elif not self._stopped:
            self._statuses.report()

    def check(self) -> None:
        """Go on once no container runs; init containers and sidecars are stopped last to first."""
        pod = self._pod
        if self._stopped or any(c.running for c in (*pod.containers, *pod.ephemeral_containers)):
            return
        running = [c for c in self._pod.init_containers if c.running]
        if running:
            if running[-1] not in self._stopping:
                self._stop(running[-1], max(self._deadline - self._clock.now, 0.0))
            return
        self._stopped = True
        for timer in self._timers:
            timer.cancel()
        self._after(STOPPED_SECONDS, self._finish)

    def _stop(self, container: Container, grace: float) -> None:
        self._stopping.append(container)
        self._timers += killing.stop(self._pod, container, grace, partial(self._end, container))

    def _end(self, container: Container, code: int) -> None:
        if container.running:
            reason = "Error" if code else "Completed"
            container.end(self._clock.now, self._pod.timestamp(), code, reason)
        self.check()

    def _finish(self) -> None:
        pod = self._pod
        if not pod.agent.up:
            self._missed = self._finish
            return
        pod.sandbox = False
        if not claims.returned(pod):
            self._statuses.report()
            jitter = pod.runtime.random.random() * UNPREPARED_SECONDS / 2
            self._after(UNPREPARED_SECONDS + jitter, self._finish)
            return
        # Admission counts active pods only, and one whose containers have ended is not:
        # https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kubelet_pods.go#L1128
        pod.release()
        self._statuses.report(finished=True)
        self._after(CLEANED_SECONDS, self._cleaned)

    def _cleaned(self) -> None:
        if not self._pod.agent.up:
            self._missed = self._cleaned
            return
        self._statuses.report_terminated()
        self._pod.stage = Stage.TERMINATED
        self._pod.release()
        self.confirm_deletion()

    def confirm_deletion(self) -> None:
        """Delete the pod with a grace period of 0, so that the API server removes it."""
        pod = self._pod
        meta = pod.object["metadata"]
        if not pod.agent.up:
            self._missed = self.confirm_deletion
            return
        if "deletionTimestamp" not in meta:
            return
        try:
            pod.runtime.api.delete(
                "pods",
                meta["namespace"],
                meta["name"],
                grace_period_seconds=0,
                uid=pod.uid,
                user=pod.user,
            )
        except (APIError, CallTimeoutError):
            if pod.stage is not Stage.GONE:
                self._after(RETRY_SECONDS, self.confirm_deletion)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._timers.append(self._clock.after(seconds, action))


def announce(pod: NodePod) -> None:
    """Record for each running container that it is being stopped."""
    for container in pod.all_containers:
        if container.running:
            text = f"Stopping container {container.name}"
            pod.event(NORMAL, "Killing", text, container.field_path)
