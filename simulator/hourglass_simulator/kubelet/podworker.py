"""The life of one pod on its node, after the kubelet's pod workers.

A sync writes the status as it is and then acts; what the acting led to is written by the next
sync. https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/pod_workers.go
"""

from collections.abc import Collection
from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet import (
    adoption,
    claims,
    devicehealth,
    environment,
    eviction,
    killing,
    mounts,
    podadmission,
    probes,
    resize,
    restarting,
    sandbox,
)
from hourglass_simulator.kubelet.admission import Rejection
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.mounts import Mounts
from hourglass_simulator.kubelet.node import NodeAgent
from hourglass_simulator.kubelet.phase import FINAL
from hourglass_simulator.kubelet.pod import NodePod, Stage
from hourglass_simulator.kubelet.prober import Prober
from hourglass_simulator.kubelet.runtime import Runtime
from hourglass_simulator.kubelet.starter import Starter
from hourglass_simulator.kubelet.statusmanager import StatusManager
from hourglass_simulator.kubelet.termination import Termination, announce
from hourglass_simulator.kubelet.workload import KILLED, KINDS
from hourglass_simulator.recorder import NORMAL, WARNING

SANDBOX_SECONDS = 0.4
"""What the runtime needs for a pod's sandbox and network."""
RELIST_SECONDS = 0.5
"""From a change in the runtime to the sync that notices it: half of the kubelet's period of 1 s."""
BACKOFF_SECONDS = 10.0
"""From a sync that failed to the next, plus up to half of that."""
AT_EXPIRY_SINCE = 35
"""The minor version since which the next sync comes when a container's back-off is over.

https://github.com/kubernetes/kubernetes/blob/v1.35.4/pkg/kubelet/pod_workers.go#L1522
"""
RESYNC_SECONDS = 60.0
"""From a sync that did not fail to the next, plus up to half of that: a claim that cannot be
prepared is no failure.
"""
SHUT_DOWN = ("Terminated", "Pod was terminated in response to imminent node shutdown.")
LOST_CODE = 255
"""The exit code of a container that has ended with its machine."""
KILLED_SECONDS = 0.3
"""From the end of a container that is restarted to its start."""
EVICTION_GRACE_SECONDS = 1.0
"""What a pod gets that the kubelet itself ends."""
QUIET_SINCE = 37
"""The minor version since which a missing pull secret is only spoken of when a pull has failed.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/kubelet.go#L2307
"""
RESIZE_SECONDS = 180.0
"""From a resize that is deferred to the next attempt."""


class PodWorker:
    """Runs one pod on one node."""

    __slots__ = (
        "_again",
        "_mounts",
        "_prober",
        "_probing",
        "_statuses",
        "_sync_timer",
        "_syncing",
        "_termination",
        "pod",
    )

    def __init__(self, runtime: Runtime, agent: NodeAgent, obj: JSON) -> None:
        self.pod = NodePod(runtime, agent, obj)
        self._statuses = StatusManager(self.pod)
        self._prober = Prober(
            self.pod, self._statuses, self._exit, self._started_up, self._failed_probe
        )
        self._termination: Termination | None = None
        self._sync_timer: Timer | None = None
        self._syncing = False
        self._again = False
        """Something has changed while a sync goes on."""
        self._probing = False
        self._mounts = Mounts(self.pod)

    def adopt(self) -> None:
        """Its containers run already, and go on; see `adoption`."""
        running = adoption.adopt(self.pod)
        self._plan_deadline()
        self._probing = True
        self._prober.begin()
        for container in running:
            self._prober.ran(container)
            self._prober.started(container)

    # Syncs

    def sync_after(self, seconds: float) -> None:
        """Sync then, unless something makes it sync earlier or later."""
        self._cancel_sync()
        self._sync_timer = self.pod.runtime.clock.after(seconds, self._sync)

    def _cancel_sync(self) -> None:
        if self._sync_timer is not None:
            self._sync_timer.cancel()

    def _sync(self) -> None:
        """Write the status, then end what is to be ended and start what is to be started."""
        pod = self.pod
        if not pod.agent.up:
            return
        if self._syncing:
            self._again = True
            return
        if pod.stage is Stage.NEW:
            if refusal := podadmission.admit(pod):
                self._reject(refusal)
                return
            pod.stage = Stage.ACTIVE
            pod.start_time = pod.timestamp()
            self._plan_deadline()
        if pod.stage is not Stage.ACTIVE:
            return
        resize.check(pod)
        if self._statuses.report() in FINAL:
            self._terminate()
            return
        self._syncing = True
        self._mount(pod.epoch)

    def _plan_deadline(self) -> None:
        seconds = self.pod.object["spec"].get("activeDeadlineSeconds")
        if seconds is not None:
            self.pod.runtime.clock.after(float(seconds), self._pass_deadline)

    def _pass_deadline(self) -> None:
        """https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/active_deadline.go"""
        pod = self.pod
        if pod.stage is not Stage.ACTIVE:
            return
        pod.pass_deadline()
        if pod.agent.up:
            self._statuses.report()
            self._terminate()

    def _mount(self, epoch: int) -> None:
        """Mount the volumes; the sync waits for them."""
        pod = self.pod
        if not pod.startable or pod.epoch != epoch:
            return
        wait = None if pod.sandbox else self._mounts.attempt()
        if wait is None:
            self._act()
        elif wait == mounts.GIVEN_UP:
            self._acted(changed=False, failed=True)
        else:
            pod.runtime.clock.after(wait, lambda: self._mount(epoch))

    def move(self, agent: NodeAgent) -> None:
        """The node was registered anew."""
        self.pod.agent = agent
        agent.take(self.pod.requested)
        podadmission.take_devices(self.pod, self.pod.requested)

    def resume(self) -> None:
        """The kubelet is back: look at everything again."""
        pod = self.pod
        pod.epoch += 1
        self._syncing = False
        if self._termination is not None:
            self._termination.resume()
        elif "deletionTimestamp" in pod.object["metadata"]:
            self._terminate()
        elif pod.stage in (Stage.NEW, Stage.ACTIVE):
            self.sync_after(0)
            self._prober.resume()

    def _act(self) -> None:
        """End the containers whose probes failed, see to the sandbox, start containers."""
        pod = self.pod
        if pod.runtime.api.version.minor < QUIET_SINCE:
            environment.report_missing_secrets(pod)
        if not self._probing:
            self._probing = True
            self._prober.begin()
        if pod.sandbox:
            for container in resize.restarting(pod):
                container.failed = container.failed or restarting.RESIZED
            failed = [c for c in pod.all_containers if c.running and c.failed]
            if restarting.nothing_left(pod):
                self._kill_pod()
            else:
                self._kill(failed, [])
            return
        if pod.sandboxes:
            text = "Pod sandbox changed, it will be killed and re-created."
            pod.event(NORMAL, "SandboxChanged", text)
        if why := claims.prepare(pod):
            text = f"Failed to prepare dynamic resources: {why}"
            pod.event(WARNING, "FailedPrepareDynamicResources", text)
            self._syncing = False
            jitter = pod.runtime.random.random() * RESYNC_SECONDS / 2
            self.sync_after(RESYNC_SECONDS + jitter)
            return
        self._make_sandbox()

    def _kill_pod(self) -> None:
        """Nothing is left to run: the pod is ended, and the next sync finds that out."""
        pod, epoch = self.pod, self.pod.epoch
        grace = killing.grace_of(pod)
        announce(pod)
        running = {c.name: c for c in pod.all_containers if c.running}

        def end(container: Container, code: int) -> None:
            if container.running:
                self._end(container, code)
            running.pop(container.name, None)
            if self._termination is not None:
                self._termination.check()
            elif not running and pod.startable and pod.epoch == epoch:
                pod.sandbox = False
                self._acted(changed=True, failed=False)

        for container in list(running.values()):
            killing.stop(pod, container, grace, partial(end, container))

    def _kill(self, failed: list[Container], killed: list[Container]) -> None:
        """End containers one after the other, then start all that is to be started."""
        if not failed:
            changed = resize.actuate(self.pod)
            self._start(changed=changed or bool(killed), killed=killed)
            return
        container, *rest = failed
        pod, kind = self.pod, container.failed
        text = restarting.reason(container, pod.restart_policy)
        pod.event(NORMAL, "Killing", text, container.field_path)
        started, epoch = container.started, pod.epoch

        def end(code: int) -> None:
            if container.started != started:
                return
            self._end(container, code)
            if self._termination is not None:
                self._termination.check()
            else:
                again = partial(self._killed, rest, [*killed, container], epoch)
                pod.runtime.clock.after(KILLED_SECONDS, again)

        probe = probes.spec_of(container.spec, kind) if kind in KINDS else None
        grace = killing.grace_of(pod, probe)
        killing.stop(pod, container, grace, end)

    def _killed(self, rest: list[Container], killed: list[Container], epoch: int) -> None:
        if self.pod.startable and self.pod.epoch == epoch:
            self._kill(rest, killed)

    def _start(self, *, changed: bool = False, killed: Collection[Container] = ()) -> None:
        starter = Starter(
            self.pod, self._prober.ran, self._prober.started, changed=changed, killed=killed
        )
        starter.start(self._acted)

    def _make_sandbox(self) -> None:
        epoch = self.pod.epoch
        self.pod.runtime.clock.after(SANDBOX_SECONDS, lambda: self._sandbox_made(epoch))

    def _sandbox_made(self, epoch: int) -> None:
        pod = self.pod
        if not pod.startable or pod.epoch != epoch:
            return
        if why := sandbox.failure(pod):
            text = f"Failed to create pod sandbox: {why}"
            pod.event(WARNING, "FailedCreatePodSandBox", text)
            self._acted(changed=False, failed=True)
            return
        pod.sandbox = True
        pod.sandboxes += 1
        self._statuses.report_sandbox()
        host_network = pod.object["spec"].get("hostNetwork")
        pod.ip = pod.agent.host_ip if host_network else pod.agent.pod_address()
        self._start(changed=True)

    def _acted(self, changed: bool, failed: bool, waits_until: float | None = None) -> None:
        """What a sync did is done; a container waits for its back-off until then."""
        self._syncing = False
        pod = self.pod
        if pod.stage is not Stage.ACTIVE:
            return
        if failed and pod.runtime.api.version.minor >= QUIET_SINCE and environment.pull_failed(pod):
            environment.report_missing_secrets(pod)
        if changed or self._again:
            self._again = False
            self.sync_after(RELIST_SECONDS)
        elif failed:
            seconds = BACKOFF_SECONDS
            if waits_until is not None and pod.runtime.api.version.minor >= AT_EXPIRY_SINCE:
                seconds = min(max(waits_until - pod.runtime.clock.now, 0.0), RESYNC_SECONDS)
            self.sync_after(seconds + pod.runtime.random.random() * seconds / 2)

    # Admission

    def _reject(self, refusal: Rejection) -> None:
        pod = self.pod
        pod.stage = Stage.TERMINATED
        pod.event(WARNING, refusal.reason, refusal.message)
        self._statuses.report_rejection(refusal)
        # Deleted before it was ever looked at: nothing else confirms the deletion.
        if "deletionTimestamp" in pod.object["metadata"]:
            Termination(pod, self._statuses).confirm_deletion()

    # Containers

    def behave(self, container: Container) -> None:
        """A running container has another workload from now on."""
        self._prober.changed(container)

    def readiness_changed(self) -> None:
        """Others have changed a condition that may be one of the pod's readiness gates."""
        self._statuses.report_change()

    def health_changed(self) -> None:
        """Devices of the pod are well or ill by now."""
        if devicehealth.reported(self.pod) and self.pod.stage is Stage.ACTIVE:
            self.sync_after(0)

    def _started_up(self) -> None:
        """What waited for a sidecar may start."""
        if self.pod.stage is Stage.ACTIVE:
            self.sync_after(0)

    def _failed_probe(self, container: Container, kind: str) -> None:  # noqa: ARG002
        """A container is to be ended for its startup or liveness probe."""
        if self.pod.stage is Stage.ACTIVE:
            self.sync_after(0)

    def updated(self) -> None:
        """Its spec has changed: there is a container to debug it, or other resources."""
        pod = self.pod
        if pod.stage is not Stage.ACTIVE or not pod.agent.up:
            return
        pod.take_ephemeral()
        for container in (*pod.init_containers, *pod.containers):
            image = pod.image_of(container)
            if image != container.spec["image"]:
                container.spec = {**container.spec, "image": image}
                container.failed = restarting.DEFINED if container.running else ""
        self._resize()

    def _resize(self) -> None:
        pod = self.pod
        if pod.stage is not Stage.ACTIVE or not pod.agent.up:
            return
        resize.allot(pod)
        if resize.deferred(pod):
            pod.runtime.clock.after(RESIZE_SECONDS, self._resize)
        self.sync_after(0)

    def _exit(self, container: Container) -> None:
        """A container exits by itself, as its workload says."""
        if not container.running:
            return
        workload = container.workload
        out_of_memory = workload.out_of_memory or workload.exhausts(container.memory_limit)
        self.exit_with(container, workload.exit_code, out_of_memory=out_of_memory)

    def exit_with(self, container: Container, code: int, *, out_of_memory: bool = False) -> None:
        """A running container exits; the next sync notices it."""
        self._end(container, code, out_of_memory=out_of_memory)
        if self._termination is not None:
            self._termination.check()
        elif self.pod.stage is Stage.ACTIVE:
            self.sync_after(RELIST_SECONDS)

    def _end(self, container: Container, code: int, *, out_of_memory: bool = False) -> None:
        reason = "Error" if code else "Completed"
        if out_of_memory:
            code, reason = KILLED, "OOMKilled"
        container.end(self.pod.runtime.clock.now, self.pod.timestamp(), code, reason)

    def lose_containers(self) -> None:
        """The machine has gone down: no container runs any more, and there is no sandbox.

        containerd finds that out when it is back, and knows nothing of how they ended.
        """
        pod = self.pod
        for container in pod.all_containers:
            if container.running:
                now = pod.runtime.clock.now
                container.end(now, pod.timestamp(), LOST_CODE, "Unknown", said=False)
        pod.sandbox = False

    # The end

    def evict(self, resource: str) -> None:
        """Fail the pod because its node runs low on `resource`, unless it is ending already."""
        if self._termination is not None or not self.pod.startable:
            return
        message = eviction.message(resource, self.pod.all_containers)
        self.pod.event(WARNING, eviction.REASON, message)
        self._disrupt((eviction.REASON, message), EVICTION_GRACE_SECONDS)

    def shut_down(self, seconds: float) -> None:
        """End the pod within so many seconds because its node is shut down."""
        if self._termination is None and self.pod.startable:
            self._disrupt(SHUT_DOWN, min(seconds, killing.grace_of(self.pod)))

    def _disrupt(self, why: tuple[str, str], grace: float) -> None:
        self.pod.ended_by_kubelet = why
        self.pod.disrupted = True
        self._terminate(grace=grace)

    def deleted(self) -> None:
        """The pod is marked for deletion; containers that are being stopped are not hurried.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/kubelet.go#L2340
        """
        pod = self.pod
        if not pod.agent.up or pod.stage is Stage.GONE:
            return
        if pod.stage is Stage.TERMINATED:
            Termination(pod, self._statuses).confirm_deletion()
        elif self._termination is None:
            self._terminate()

    def _terminate(self, grace: float | None = None) -> None:
        """Stop the containers within `grace` seconds; None: within the pod's own grace period."""
        if self._termination is None:
            self._cancel_sync()
            self._prober.stop_restarts()
            self._termination = Termination(self.pod, self._statuses)
            self._termination.begin(grace)

    def gone(self) -> None:
        """The pod is no more in the API: stop at once and free what it held."""
        pod = self.pod
        if pod.stage is Stage.GONE:
            return
        if pod.stage in (Stage.ACTIVE, Stage.TERMINATING):
            announce(pod)
        pod.stage = Stage.GONE
        self._cancel_sync()
        self._statuses.stop()
        self._prober.stop()
        pod.release()
