"""The life of one pod on its node, after the kubelet's pod workers.

A sync writes the status as it is and then acts; what the acting led to is written by the next
sync. https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/pod_workers.go
"""

from hourglass_kube import podresources
from hourglass_kube.types import JSON
from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet import admission, environment, eviction
from hourglass_simulator.kubelet.admission import Rejection
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.devices import Devices
from hourglass_simulator.kubelet.node import NodeAgent
from hourglass_simulator.kubelet.pod import NodePod, Stage
from hourglass_simulator.kubelet.prober import Prober
from hourglass_simulator.kubelet.runtime import Runtime
from hourglass_simulator.kubelet.starter import Starter
from hourglass_simulator.kubelet.statusmanager import StatusManager
from hourglass_simulator.kubelet.termination import Termination, announce
from hourglass_simulator.recorder import WARNING

SANDBOX_SECONDS = 0.4
"""What the runtime needs for a pod's sandbox and network."""
RELIST_SECONDS = 0.5
"""From a change in the runtime to the sync that notices it: half of the kubelet's period of 1 s."""
BACKOFF_SECONDS = 10.0
"""From a sync that failed to the next, plus up to half of that."""
EVICTION_GRACE_SECONDS = 1.0
"""What a pod gets that the kubelet itself ends."""


class PodWorker:
    """Runs one pod on one node."""

    __slots__ = ("_prober", "_statuses", "_sync_timer", "_syncing", "_termination", "pod")

    def __init__(self, runtime: Runtime, agent: NodeAgent, obj: JSON) -> None:
        self.pod = NodePod(runtime, agent, obj)
        self._statuses = StatusManager(self.pod)
        self._prober = Prober(self.pod, self._statuses, self._exit)
        self._termination: Termination | None = None
        self._sync_timer: Timer | None = None
        self._syncing = False

    # Syncs

    def sync_after(self, seconds: float) -> None:
        """Sync then, unless something makes it sync earlier or later."""
        self._cancel_sync()
        self._sync_timer = self.pod.runtime.clock.after(seconds, self._sync)

    def _cancel_sync(self) -> None:
        if self._sync_timer is not None:
            self._sync_timer.cancel()

    def _sync(self) -> None:
        """Write the status, then start what is to be started."""
        pod = self.pod
        if self._syncing or not pod.agent.up:
            return
        if pod.stage is Stage.NEW:
            if refusal := self._admit():
                self._reject(refusal)
                return
            pod.stage = Stage.ACTIVE
            pod.start_time = pod.runtime.clock.timestamp()
            self._statuses.report()
            self._syncing = True
            pod.runtime.clock.after(SANDBOX_SECONDS, self._sandbox_ready)
        elif pod.stage is Stage.ACTIVE:
            self._statuses.report()
            if self._over():
                self._terminate()
                return
            self._syncing = True
            self._start()

    def move(self, agent: NodeAgent) -> None:
        """The node was registered anew."""
        self.pod.agent = agent
        agent.take(self.pod.requested)
        for resource, count in self.pod.requested.items():
            if resource in agent.devices:
                agent.devices[resource].allocate(self.pod.uid, count)

    def resume(self) -> None:
        """The kubelet is back: look at everything again."""
        pod = self.pod
        pod.epoch += 1
        self._syncing = False
        if self._termination is not None:
            self._termination.resume()
        elif "deletionTimestamp" in pod.object["metadata"]:
            self._terminate()
        elif pod.stage is Stage.ACTIVE and not pod.sandbox:
            pod.runtime.clock.after(SANDBOX_SECONDS, self._sandbox_ready)
        elif pod.stage in (Stage.NEW, Stage.ACTIVE):
            self.sync_after(0)
            self._prober.resume()

    def _start(self, *, changed: bool = False) -> None:
        pod = self.pod
        secrets = pod.object["spec"].get("imagePullSecrets") or ()
        if missing := environment.missing_secrets(
            pod.runtime.api, pod.object["metadata"]["namespace"], secrets
        ):
            text = (
                f"Unable to retrieve some image pull secrets ({', '.join(missing)}); attempting to"
                " pull the image may not succeed."
            )
            pod.event(WARNING, "FailedToRetrieveImagePullSecret", text)
        Starter(pod, self._prober.started, changed=changed).start(self._acted)

    def _sandbox_ready(self) -> None:
        pod = self.pod
        if not pod.startable or pod.sandbox:
            return
        pod.sandbox = True
        host_network = pod.object["spec"].get("hostNetwork")
        pod.ip = pod.agent.host_ip if host_network else pod.agent.pod_address()
        self._start(changed=True)

    def _acted(self, changed: bool, failed: bool) -> None:
        """What a sync did is done."""
        self._syncing = False
        if self.pod.stage is not Stage.ACTIVE:
            return
        if changed:
            self.sync_after(RELIST_SECONDS)
        elif failed:
            jitter = self.pod.runtime.random.random() * BACKOFF_SECONDS / 2
            self.sync_after(BACKOFF_SECONDS + jitter)

    def _over(self) -> bool:
        return all(
            not c.running and c.exists and not c.to_start(self.pod.restart_policy)
            for c in self.pod.containers
        )

    # Admission

    def _admit(self) -> Rejection | None:
        pod = self.pod
        requested = podresources.requests(pod.object["spec"])
        held: list[Devices] = []
        for resource in sorted(requested):
            devices = pod.agent.devices.get(resource)
            if devices is None or not requested[resource]:
                continue
            if not devices.allocate(pod.uid, requested[resource]):
                for other in held:
                    other.release(pod.uid)
                return admission.no_device(resource, requested[resource], len(devices.free))
            held.append(devices)
        counted = {**requested, admission.PODS: 1}
        refusal = admission.rejection(pod.object, pod.agent.node, counted, pod.agent.used)
        if refusal is not None:
            for devices in held:
                devices.release(pod.uid)
            return refusal
        pod.hold(counted)
        return None

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

    def _exit(self, container: Container) -> None:
        """A container exits by itself, as its workload says."""
        if not container.running:
            return
        workload = container.workload
        self.exit_with(container, workload.exit_code, out_of_memory=workload.out_of_memory)

    def exit_with(self, container: Container, code: int, *, out_of_memory: bool = False) -> None:
        """A running container exits; the next sync notices it."""
        reason = "Error" if code else "Completed"
        if out_of_memory:
            code, reason = 137, "OOMKilled"
        clock = self.pod.runtime.clock
        container.end(clock.now, clock.timestamp(), code, reason)
        if self._termination is not None:
            self._termination.check()
        elif self.pod.stage is Stage.ACTIVE:
            self.sync_after(RELIST_SECONDS)

    # The end

    def evict(self, resource: str) -> None:
        """Fail the pod because its node runs low on `resource`, unless it is ending already."""
        if self._termination is not None or not self.pod.startable:
            return
        message = eviction.message(resource, self.pod.containers)
        self.pod.event(WARNING, eviction.REASON, message)
        self.pod.ended_by_kubelet = (eviction.REASON, message)
        self._terminate(grace=EVICTION_GRACE_SECONDS)

    def deleted(self) -> None:
        """The pod is marked for deletion, or its grace period was shortened."""
        pod = self.pod
        if not pod.agent.up or pod.stage is Stage.GONE:
            return
        if pod.stage is Stage.TERMINATED:
            Termination(pod, self._statuses).confirm_deletion()
        elif self._termination is None:
            self._terminate()
        else:
            grace = float(pod.object["metadata"]["deletionGracePeriodSeconds"])
            self._termination.shorten(grace)

    def _terminate(self, grace: float | None = None) -> None:
        """Stop the containers within `grace` seconds; None: within the pod's own grace period."""
        if self._termination is None:
            self._cancel_sync()
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
