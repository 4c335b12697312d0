"""When containers are probed, what it does to them, and containers that exit by themselves.

A worker probes one container for one thing, once a period from the moment on that the pod is
probed at all; readiness is asked for at once when a container is seen to run and is not ready.
While a container stays as it is and answers, no probe is simulated.
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/prober/worker.go
"""

from collections.abc import Callable
from math import ceil, floor

from hourglass_kube.types import JSON
from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet import probes
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.pod import NodePod
from hourglass_simulator.kubelet.probes import Found
from hourglass_simulator.kubelet.statusmanager import StatusManager
from hourglass_simulator.kubelet.workload import KINDS, READINESS, STARTUP
from hourglass_simulator.recorder import WARNING

SEEN_SECONDS = 0.5
"""From the start of a container to the status that shows it."""
AGAIN_SECONDS = 0.5
"""From a change of readiness to the probe that the sync after it asks for."""
OUT_OF_MEMORY_SECONDS = 0.05
"""What a container needs to use up its memory."""


class _Worker:
    """One kind of probe of one container."""

    __slots__ = ("container", "first", "kind", "result", "run", "spec", "timer")

    def __init__(self, container: Container, kind: str, spec: JSON) -> None:
        self.container = container
        self.kind = kind
        self.spec = spec
        self.timer: Timer | None = None
        self.result: Found | None = None
        self.run = 0
        self.first = True

    @property
    def due(self) -> bool:
        """Startup is asked for until there is an answer, all else from then on."""
        return self.container.running and (self.kind == STARTUP) != self.container.started_up

    def count(self, found: Found) -> bool:
        """Count a result; whether there have been enough of them to be believed."""
        self.run = self.run + 1 if found is self.result else 1
        self.result = found
        name, default = (
            ("successThreshold", 1) if found is Found.SUCCESS else ("failureThreshold", 3)
        )
        return self.run >= int(self.spec.get(name) or default)

    def cancel(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Prober:
    """The timers of one pod's containers.

    `on_exit` is called when one exits by itself, `on_start_up` when its startup probe is answered,
    and `on_failed` when a startup or liveness probe has failed too often.
    """

    __slots__ = (
        "_exits",
        "_on_exit",
        "_on_failed",
        "_on_start_up",
        "_pod",
        "_since",
        "_statuses",
        "_workers",
    )

    def __init__(
        self,
        pod: NodePod,
        statuses: StatusManager,
        on_exit: Callable[[Container], None],
        on_start_up: Callable[[], None],
        on_failed: Callable[[Container, str], None],
    ) -> None:
        self._pod = pod
        self._statuses = statuses
        self._on_exit = on_exit
        self._on_start_up = on_start_up
        self._on_failed = on_failed
        self._exits: dict[str, Timer] = {}
        self._workers: dict[tuple[str, str], _Worker] = {}
        self._since = 0.0

    def begin(self) -> None:
        """The pod is probed from now on."""
        self._since = self._pod.runtime.clock.now

    def ran(self, container: Container) -> None:
        """A container runs."""
        self._plan_exit(container)

    def started(self, container: Container) -> None:
        """A container has started, and its hook has run."""
        for kind in KINDS:
            if (worker := self._workers.pop((container.name, kind), None)) is not None:
                worker.cancel()
            spec = probes.spec_of(container.spec, kind)
            if spec is not None and not container.ephemeral:
                self._workers[container.name, kind] = _Worker(container, kind, spec)
        self._ask(container, SEEN_SECONDS)

    def changed(self, container: Container) -> None:
        """A running container behaves differently from now on."""
        self._plan_exit(container)
        for worker in self._of(container):
            if worker.due:
                self._tick(worker)

    def resume(self) -> None:
        """The kubelet is back."""
        for container in self._pod.all_containers:
            if container.running:
                self._ask(container, AGAIN_SECONDS)

    def stop_restarts(self) -> None:
        """The pod ends: no container is ended for a probe any more."""
        for (_, kind), worker in self._workers.items():
            if kind != READINESS:
                worker.cancel()

    def stop(self) -> None:
        """Probe no more, and let nothing exit any more."""
        for timer in self._exits.values():
            timer.cancel()
        for worker in self._workers.values():
            worker.cancel()

    def _of(self, container: Container) -> list[_Worker]:
        found = (self._workers.get((container.name, kind)) for kind in KINDS)
        return [worker for worker in found if worker is not None]

    def _plan_exit(self, container: Container) -> None:
        if timer := self._exits.pop(container.name, None):
            timer.cancel()
        workload = container.workload
        exit_after = workload.exit_after
        if workload.exhausts(container.memory_limit):
            exit_after = OUT_OF_MEMORY_SECONDS
        if exit_after is None or container.started is None:
            return
        self._exits[container.name] = self._pod.runtime.clock.at(
            container.started + exit_after, lambda: self._on_exit(container)
        )

    def _ask(self, container: Container, seconds: float) -> None:
        """Ask for what is due: for readiness soon, for all else at its next turn."""
        for worker in self._of(container):
            if not worker.due:
                continue
            if worker.kind == READINESS:
                self._after(worker, seconds)
            else:
                self._tick(worker, seconds)

    def _tick(self, worker: _Worker, seconds: float = 0.0) -> None:
        """Probe at the first turn of a worker that is at least so long from now."""
        earliest = self._pod.runtime.clock.now + seconds
        period = probes.period(worker.spec)
        turn = self._since + ceil((earliest - self._since) / period) * period
        self._at(worker, turn)

    def _after(self, worker: _Worker, seconds: float) -> None:
        self._at(worker, self._pod.runtime.clock.now + seconds)

    def _at(self, worker: _Worker, time: float) -> None:
        worker.cancel()
        worker.timer = self._pod.runtime.clock.at(time, lambda: self._probe(worker))

    def _probe(self, worker: _Worker) -> None:
        container, pod = worker.container, self._pod
        if container.started is None or not pod.agent.up or not worker.due:
            return
        period = probes.period(worker.spec)
        if self._too_early(worker):
            self._after(worker, period)
            return
        answers = container.workload.answers(worker.kind)
        seconds = pod.runtime.clock.now - container.started
        succeeds = answers.succeed(seconds)
        found, text = probes.find(worker.spec, container, pod.ip, answers, succeeds=succeeds)
        if found is not Found.SUCCESS:
            message = probes.event(worker.kind, found, text)
            pod.event(WARNING, "Unhealthy", message, container.field_path)
        first, worker.first = worker.first, False
        if found is Found.ERROR or not worker.count(found):
            again = first and worker.kind == READINESS and found is Found.FAILURE
            self._after(worker, AGAIN_SECONDS if again else period)
        elif worker.kind == READINESS:
            self._readiness(worker, found)
        elif found is Found.FAILURE:
            container.failed = worker.kind
            self._on_failed(container, worker.kind)
        elif worker.kind == STARTUP:
            container.start_up(started_up=True)
            self._statuses.report_change()
            self._ask(container, AGAIN_SECONDS)
            self._on_start_up()
        else:
            self._rest(worker)

    def _readiness(self, worker: _Worker, found: Found) -> None:
        container = worker.container
        ready = found is Found.SUCCESS
        lost = container.ready and not ready
        if container.ready != ready:
            container.ready = ready
            self._statuses.report_change()
        if ready:
            self._rest(worker)
        else:
            self._after(worker, AGAIN_SECONDS if lost else probes.period(worker.spec))

    def _rest(self, worker: _Worker) -> None:
        """A probe that succeeds: the next that matters is when the answer could be another one."""
        container = worker.container
        answers = container.workload.answers(worker.kind)
        if answers.until is None or container.started is None:
            return
        period = probes.period(worker.spec)
        left = container.started + answers.until - self._pod.runtime.clock.now
        self._after(worker, max(1, ceil(left / period)) * period)

    def _too_early(self, worker: _Worker) -> bool:
        """Within `initialDelaySeconds`; starts are kept in whole seconds."""
        delay = int(worker.spec.get("initialDelaySeconds") or 0)
        clock, started = self._pod.runtime.clock, worker.container.started
        if not delay or started is None:
            return False
        began = floor(clock.unix_time - (clock.now - started))
        return int(clock.unix_time - began) < delay
