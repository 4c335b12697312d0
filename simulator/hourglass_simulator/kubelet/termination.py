"""The end of a pod: hooks, SIGTERM, SIGKILL, the last status, the deletion.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from hourglass_simulator.apiserver import APIError, CallTimeout
from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.recorder import NORMAL

if TYPE_CHECKING:
    from hourglass_simulator.kubelet.podworker import PodWorker

MINIMUM_GRACE_SECONDS = 2.0
"""What is left to a container at least after its hook, whatever the grace period."""
STOPPED_SECONDS = 0.2
"""From the end of the last container to the status that says so."""
CLEANED_SECONDS = 0.6
"""From there to the pod's volumes and cgroups being gone, and with them the pod."""
RETRY_SECONDS = 1.0

_KILLED = 137


class Termination:
    """Ends one pod; begun once, it goes on to the end."""

    def __init__(self, worker: PodWorker) -> None:
        self._worker = worker
        self._clock = worker.runtime.clock
        self._timers: list[Timer] = []
        self._stopped = False
        self._missed: Callable[[], None] | None = None
        """What was due while the kubelet was away."""

    def begin(self, grace: float | None = None) -> None:
        """Announce it in the status, then stop the containers."""
        worker = self._worker
        worker.begin_terminating()
        announce(worker)
        spec = worker.pod["spec"]
        if grace is None:
            grace = worker.pod["metadata"].get("deletionGracePeriodSeconds")
        if grace is None:
            grace = spec.get("terminationGracePeriodSeconds", 30)
        for container in worker.containers:
            if container.running:
                self._stop(container, float(grace))
        self.check()

    def hasten(self, grace: float) -> None:
        """The grace period was shortened."""
        if self._stopped:
            return
        for container in self._worker.containers:
            if container.running:
                left = max(grace, MINIMUM_GRACE_SECONDS)
                self._after(left, partial(self._end, container, _KILLED))

    def resume(self) -> None:
        """The kubelet is back: what it could not tell or do before it does now."""
        if self._missed is not None:
            missed, self._missed = self._missed, None
            missed()
        elif not self._stopped:
            self._worker.report()

    def check(self) -> None:
        """Go on once no container runs."""
        if self._stopped or any(c.running for c in self._worker.containers):
            return
        self._stopped = True
        for timer in self._timers:
            timer.cancel()
        self._after(STOPPED_SECONDS, self._finish)

    def _stop(self, container: Container, grace: float) -> None:
        hook = (container.spec.get("lifecycle") or {}).get("preStop") or {}
        pause = float((hook.get("sleep") or {}).get("seconds") or 0)
        hook_seconds = min(pause, grace)
        left = max(grace - hook_seconds, MINIMUM_GRACE_SECONDS)
        drain = container.workload.stop_after
        if drain is None or drain > left:
            self._after(hook_seconds + left, lambda: self._end(container, _KILLED))
        else:
            code = container.workload.stop_code
            self._after(hook_seconds + drain, lambda: self._end(container, code))

    def _end(self, container: Container, code: int) -> None:
        if container.running:
            reason = "Error" if code else "Completed"
            container.end(self._clock.now, self._clock.timestamp(), code, reason)
        self.check()

    def _finish(self) -> None:
        worker = self._worker
        if not worker.agent.up:
            self._missed = self._finish
            return
        worker.sandbox = False
        # Admission counts active pods only, and one whose containers have ended is not:
        # https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kubelet_pods.go#L1128
        worker.release()
        created = any(container.exists for container in worker.containers)
        if created:
            worker.finish()
        else:
            worker.report()
        self._after(CLEANED_SECONDS, lambda: self._leave(created))

    def _leave(self, created: bool) -> None:
        if not self._worker.agent.up:
            self._missed = partial(self._leave, created)
            return
        if not created:
            self._worker.finish(lost=True)
        self._worker.release()
        self.let_go()

    def let_go(self) -> None:
        """Confirm the deletion, so that the API server removes the pod."""
        worker = self._worker
        meta = worker.pod["metadata"]
        if not worker.agent.up:
            self._missed = self.let_go
            return
        if "deletionTimestamp" not in meta:
            return
        try:
            worker.runtime.api.delete(
                "pods",
                meta["namespace"],
                meta["name"],
                grace_period_seconds=0,
                uid=worker.uid,
                user=worker.runtime.user(worker.agent),
            )
        except (APIError, CallTimeout):
            if not worker.is_gone:
                self._after(RETRY_SECONDS, self.let_go)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._timers.append(self._clock.after(seconds, action))


def announce(worker: PodWorker) -> None:
    """Say of each running container that it is being stopped."""
    for container in worker.containers:
        if container.running:
            text = f"Stopping container {container.name}"
            worker.event(NORMAL, "Killing", text, container.field_path)
