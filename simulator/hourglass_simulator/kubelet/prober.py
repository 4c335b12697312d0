"""Readiness probes, and containers that exit by themselves.

The first probe comes when the container is seen to run; one more follows each change to not ready,
then one a period. While a container stays as it is and answers, no probe is simulated.
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/prober/worker.go
"""

from collections.abc import Callable
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.pod import NodePod
from hourglass_simulator.kubelet.statusmanager import StatusManager
from hourglass_simulator.recorder import WARNING


class Prober:
    """The timers of one pod's containers; `on_exit` is called when one exits by itself."""

    __slots__ = ("_exits", "_on_exit", "_pod", "_probes", "_statuses")

    def __init__(
        self, pod: NodePod, statuses: StatusManager, on_exit: Callable[[Container], None]
    ) -> None:
        self._pod = pod
        self._statuses = statuses
        self._on_exit = on_exit
        self._exits: dict[str, Timer] = {}
        self._probes: dict[str, Timer] = {}

    def started(self, container: Container) -> None:
        """A container has started."""
        self._plan_exit(container)
        if probe := container.spec.get("readinessProbe"):
            wait = max(_RELIST, float(probe.get("initialDelaySeconds") or 0))
            self._probe_after(container, wait)

    def changed(self, container: Container) -> None:
        """A running container behaves differently from now on."""
        self._plan_exit(container)
        if "readinessProbe" in container.spec:
            self._probe_after(container, self._period(container))

    def resume(self) -> None:
        """The kubelet is back."""
        for container in self._pod.containers:
            if container.running and "readinessProbe" in container.spec:
                self._probe_after(container, _AGAIN)

    def stop(self) -> None:
        """Probe no more, and let nothing exit any more."""
        for timer in (*self._exits.values(), *self._probes.values()):
            timer.cancel()

    def _plan_exit(self, container: Container) -> None:
        if timer := self._exits.pop(container.name, None):
            timer.cancel()
        workload = container.workload
        if workload.exit_after is None or container.started is None:
            return
        self._exits[container.name] = self._pod.runtime.clock.at(
            container.started + workload.exit_after, lambda: self._on_exit(container)
        )

    def _probe_after(self, container: Container, seconds: float) -> None:
        if timer := self._probes.pop(container.name, None):
            timer.cancel()
        clock = self._pod.runtime.clock
        self._probes[container.name] = clock.after(seconds, lambda: self._probe(container))

    def _probe(self, container: Container) -> None:
        if container.started is None or not self._pod.agent.up:
            return
        now = self._pod.runtime.clock.now
        if container.workload.answers(now - container.started):
            container.failures = 0
            container.answered = True
            self._set(container, ready=True)
            self._probe_on_change(container)
            return
        self._pod.event(WARNING, "Unhealthy", self._failure(container), container.field_path)
        container.failures += 1
        threshold = int(container.spec["readinessProbe"].get("failureThreshold") or 3)
        first = container.answered is None
        container.answered = False
        lost = container.ready and container.failures >= threshold
        if lost:
            self._set(container, ready=False)
        self._probe_after(container, _AGAIN if first or lost else self._period(container))

    def _set(self, container: Container, *, ready: bool) -> None:
        if container.ready != ready:
            container.ready = ready
            self._statuses.report_change()

    def _probe_on_change(self, container: Container) -> None:
        """Probe next when the answer could be another one."""
        until = container.workload.ready_until
        if until is None or container.started is None:
            return
        period = self._period(container)
        left = container.started + until - self._pod.runtime.clock.now
        self._probe_after(container, max(1, -(-left // period)) * period)

    def _failure(self, container: Container) -> str:
        probe: JSON = container.spec["readinessProbe"]
        ip = self._pod.ip
        if "grpc" in probe:
            address = f"{ip}:{probe['grpc']['port']}"
            seconds = int(probe.get("timeoutSeconds") or 1)
            return (
                f'Readiness probe failed: timeout: failed to connect service "{address}" within'
                f" {seconds}s: context deadline exceeded"
            )
        target = probe.get("tcpSocket") or probe.get("httpGet") or {}
        port = _port(container.spec, target.get("port", 0))
        refused = f"dial tcp {ip}:{port}: connect: connection refused"
        if "httpGet" in probe:
            path = target.get("path", "/")
            refused = f'Get "http://{ip}:{port}{path}": {refused}'
        return f"Readiness probe failed: {refused}"

    @staticmethod
    def _period(container: Container) -> float:
        return float(container.spec["readinessProbe"].get("periodSeconds") or 10)


_RELIST = 0.5
_AGAIN = 0.5


def _port(spec: JSON, wanted: Any) -> Any:
    """A named port's number."""
    for port in spec.get("ports") or ():
        if port.get("name") == wanted:
            return port["containerPort"]
    return wanted
