"""The life of one pod on its node, after the kubelet's pod workers.

A sync writes the status as it is and then acts; what the acting led to is written by the next
sync. https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/pod_workers.go
"""

from enum import Enum

from hourglass_kube import podresources
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, CallTimeout
from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet import admission, environment, eviction, status, termination
from hourglass_simulator.kubelet.admission import Rejection
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.devices import Devices
from hourglass_simulator.kubelet.node import NodeAgent
from hourglass_simulator.kubelet.prober import Prober
from hourglass_simulator.kubelet.runtime import Runtime
from hourglass_simulator.kubelet.starter import Starter
from hourglass_simulator.recorder import WARNING, reference

SANDBOX_SECONDS = 0.4
"""What the runtime needs for a pod's sandbox and network."""
RELIST_SECONDS = 0.5
"""From a change in the runtime to the sync that notices it: half of the kubelet's period of 1 s."""
BACKOFF_SECONDS = 10.0
"""From a sync that failed to the next, plus up to half of that."""
EVICTION_GRACE_SECONDS = 1.0
"""What a pod gets that the kubelet itself ends."""
RETRY_SECONDS = 1.0
"""From a status that could not be written to the next attempt."""


class Stage(Enum):
    """Where the worker is."""

    NEW = "new"
    ACTIVE = "active"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    GONE = "gone"


class PodWorker:
    """Runs one pod on one node."""

    __slots__ = (
        "_reported",
        "_retry",
        "_sync_timer",
        "_syncing",
        "agent",
        "containers",
        "epoch",
        "ip",
        "killer",
        "pod",
        "prober",
        "requested",
        "runtime",
        "sandbox",
        "stage",
        "start_time",
        "uid",
        "verdict",
    )

    def __init__(self, runtime: Runtime, agent: NodeAgent, pod: JSON) -> None:
        self.runtime = runtime
        self.agent = agent
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self.stage = Stage.NEW
        self.containers = [Container(spec) for spec in pod["spec"]["containers"]]
        self.prober = Prober(self)
        self.killer: termination.Termination | None = None
        self.requested: dict[str, int] = {}
        self.ip = ""
        self.sandbox = False
        self.start_time = ""
        self.verdict: tuple[str, str] | None = None
        """Reason and message of a pod that the kubelet itself ends."""
        self._sync_timer: Timer | None = None
        self._retry: Timer | None = None
        self._reported: list[JSON] = []
        self._syncing = False
        self.epoch = 0
        """Counts restarts of the kubelet: what was under way before is forgotten."""

    @property
    def restart_policy(self) -> str:
        """Always, OnFailure or Never."""
        policy: str = self.pod["spec"].get("restartPolicy", "Always")
        return policy

    # Syncs

    def sync_after(self, seconds: float) -> None:
        """Sync then, unless something makes it sync earlier or later."""
        if self._sync_timer is not None:
            self._sync_timer.cancel()
        self._sync_timer = self.runtime.clock.after(seconds, self.sync)

    def sync(self) -> None:
        """Write the status, then start what is to be started."""
        if self._syncing or not self.agent.up:
            return
        if self.stage is Stage.NEW:
            if refusal := self._admit():
                self._reject(refusal)
                return
            self.stage = Stage.ACTIVE
            self.start_time = self.runtime.clock.timestamp()
            self.report()
            self._syncing = True
            self.runtime.clock.after(SANDBOX_SECONDS, self._sandbox_ready)
        elif self.stage is Stage.ACTIVE:
            self.report()
            if self._over():
                self.terminate()
                return
            self._syncing = True
            self._start()

    def move(self, agent: NodeAgent) -> None:
        """The node was registered anew."""
        self.agent = agent
        agent.take(self.requested)
        for resource, count in self.requested.items():
            if resource in agent.devices:
                agent.devices[resource].allocate(self.uid, count)

    def resume(self) -> None:
        """The kubelet is back: look at everything again."""
        self.epoch += 1
        self._syncing = False
        if self.killer is not None:
            self.killer.resume()
        elif "deletionTimestamp" in self.pod["metadata"]:
            self.terminate()
        elif self.stage is Stage.ACTIVE and not self.sandbox:
            self.runtime.clock.after(SANDBOX_SECONDS, self._sandbox_ready)
        elif self.stage in (Stage.NEW, Stage.ACTIVE):
            self.sync_after(0)
            self.prober.resume(self.containers)

    def noticed(self) -> None:
        """Something changed in the runtime: sync once it is noticed."""
        if self.stage is Stage.ACTIVE:
            self.sync_after(RELIST_SECONDS)

    def _start(self, *, changed: bool = False) -> None:
        secrets = self.pod["spec"].get("imagePullSecrets") or ()
        if missing := environment.missing_secrets(
            self.runtime.api, self.pod["metadata"]["namespace"], secrets
        ):
            text = (
                f"Unable to retrieve some image pull secrets ({', '.join(missing)}); attempting to"
                " pull the image may not succeed."
            )
            self.event(WARNING, "FailedToRetrieveImagePullSecret", text)
        Starter(self, changed=changed).start(self._acted)

    def _sandbox_ready(self) -> None:
        if not self.starting or self.sandbox:
            return
        self.sandbox = True
        self.ip = (
            self.agent.host_ip if self.pod["spec"].get("hostNetwork") else self.agent.pod_address()
        )
        self._start(changed=True)

    def _acted(self, changed: bool, failed: bool) -> None:
        """What a sync did is done."""
        self._syncing = False
        if self.stage is not Stage.ACTIVE:
            return
        if changed:
            self.sync_after(RELIST_SECONDS)
        elif failed:
            jitter = self.runtime.random.random() * BACKOFF_SECONDS / 2
            self.sync_after(BACKOFF_SECONDS + jitter)

    def _over(self) -> bool:
        return all(
            not c.running and c.exists and not c.to_start(self.restart_policy)
            for c in self.containers
        )

    # Admission

    def _admit(self) -> Rejection | None:
        requested = podresources.requests(self.pod["spec"])
        held: list[Devices] = []
        for resource in sorted(requested):
            devices = self.agent.devices.get(resource)
            if devices is None or not requested[resource]:
                continue
            if not devices.allocate(self.uid, requested[resource]):
                for other in held:
                    other.release(self.uid)
                return admission.no_device(resource, requested[resource], len(devices.free))
            held.append(devices)
        counted = {**requested, admission.PODS: 1}
        refusal = admission.rejection(self.pod, self.agent.node, counted, self.agent.used)
        if refusal is not None:
            for devices in held:
                devices.release(self.uid)
            return refusal
        self.requested = counted
        self.agent.take(counted)
        return None

    def _reject(self, refusal: Rejection) -> None:
        self.stage = Stage.TERMINATED
        self.event(WARNING, refusal.reason, refusal.message)
        old = self.pod.get("status") or {}
        kept = [c for c in old.get("conditions") or () if c["type"] not in status.OWN_CONDITIONS]
        new = {
            "observedGeneration": self.pod["metadata"].get("generation", 1),
            "phase": "Failed",
            "message": f"Pod was rejected: {refusal.message}",
            "reason": refusal.reason,
            "startTime": self.runtime.clock.timestamp(),
            "qosClass": old.get("qosClass", "BestEffort"),
        }
        self._write({**new, "conditions": kept} if kept else new)
        # Deleted before it was ever looked at: nobody else will let it go.
        if "deletionTimestamp" in self.pod["metadata"]:
            termination.Termination(self).let_go()

    # Status

    def report(self, *, finished: bool = False, lost: bool = False) -> None:
        """Write the status if it has changed."""
        old = self.pod.get("status") or {}
        generation = self.pod["metadata"].get("generation", 1)
        deleting = self.stage is not Stage.ACTIVE
        life = status.Life(generation, self.sandbox, deleting, finished, lost)
        policy = self.restart_policy
        for container in self.containers:
            container.prune()
        statuses = [status.container_status(c, policy, life) for c in self.containers]
        phase = status.phase(statuses, policy, finished)
        now = self.runtime.clock.timestamp()
        stored = old.get("conditions") or ()
        if finished and self.verdict is not None:
            stored = eviction.with_disruption(stored, self.verdict[1], generation, now)
        foreign = [c for c in stored if c["type"] not in status.OWN_CONDITIONS]
        # What others made of the kubelet's own conditions does not count.
        own = self._reported or [c for c in stored if c["type"] in status.OWN_CONDITIONS]
        self._reported = status.conditions(statuses, phase, life, own, now)
        new: JSON = {
            "observedGeneration": generation,
            # A pod is not over before its containers are known to be gone.
            "phase": phase if finished or phase == "Pending" else "Running",
            "conditions": foreign + self._reported,
            "hostIP": self.agent.host_ip,
            "hostIPs": [{"ip": self.agent.host_ip}],
            "startTime": self.start_time or now,
            "containerStatuses": statuses,
            "qosClass": old.get("qosClass", "BestEffort"),
        }
        if self.verdict is not None and new["phase"] == "Failed":
            # Containers that end well make it Succeeded, and the reason is lost.
            new["reason"], new["message"] = self.verdict
        if self.ip:
            new["podIP"], new["podIPs"] = self.ip, [{"ip": self.ip}]
        self._write(new)

    def _write(self, new: JSON) -> None:
        meta = self.pod["metadata"]
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if new == self.pod.get("status"):
            return
        try:
            self.runtime.api.set_status(
                "pods", meta["namespace"], meta["name"], new, user=self.runtime.user(self.agent)
            )
        except (APIError, CallTimeout):
            if self.stage is not Stage.GONE:
                self._retry = self.runtime.clock.after(RETRY_SECONDS, lambda: self._write(new))

    def event(self, kind: str, reason: str, message: str, field_path: str = "") -> None:
        """Record an Event about the pod."""
        self.agent.recorder.event(reference(self.pod, field_path), kind, reason, message)

    def report_soon(self) -> None:
        """Write the status now if the pod is not on its way out."""
        if self.agent.up and self.stage in (Stage.ACTIVE, Stage.TERMINATING):
            self.report()

    # The end

    @property
    def starting(self) -> bool:
        """Containers may still be started."""
        return self.stage is Stage.ACTIVE and self.agent.up

    @property
    def evictable(self) -> bool:
        """The kubelet runs it and may end it."""
        return self.starting and self.killer is None

    @property
    def is_gone(self) -> bool:
        """The pod is no more in the API."""
        return self.stage is Stage.GONE

    def exit(self, container: Container) -> None:
        """A container exits by itself, as its workload says."""
        if not container.running:
            return
        workload = container.workload
        self.exit_with(container, workload.exit_code, out_of_memory=workload.out_of_memory)

    def exit_with(self, container: Container, code: int, *, out_of_memory: bool = False) -> None:
        """A running container exits."""
        reason = "Error" if code else "Completed"
        if out_of_memory:
            code, reason = 137, "OOMKilled"
        clock = self.runtime.clock
        container.end(clock.now, clock.timestamp(), code, reason)
        if self.killer is not None:
            self.killer.check()
        else:
            self.noticed()

    def begin_terminating(self) -> None:
        """No container is started any more; the status says so."""
        if self._sync_timer is not None:
            self._sync_timer.cancel()
        if not self.start_time:
            self.start_time = self.runtime.clock.timestamp()
        self.stage = Stage.TERMINATING
        if self.verdict is None:
            self.report()

    def finish(self, *, lost: bool = False) -> None:
        """Write the last status."""
        self.report(finished=True, lost=lost)
        self.stage = Stage.TERMINATED

    def deleted(self) -> None:
        """The pod is marked for deletion, or its grace period was shortened."""
        if not self.agent.up or self.stage is Stage.GONE:
            return
        if self.stage is Stage.TERMINATED:
            termination.Termination(self).let_go()
        elif self.killer is None:
            self.terminate()
        else:
            self.killer.hasten(float(self.pod["metadata"]["deletionGracePeriodSeconds"]))

    def end(self, reason: str, message: str) -> None:
        """The kubelet itself ends the pod: it fails, with this reason."""
        self.verdict = (reason, message)
        self.terminate(grace=EVICTION_GRACE_SECONDS)

    def terminate(self, grace: float | None = None) -> None:
        """Stop everything and let the pod go, within its own grace period unless told otherwise."""
        if self.killer is None:
            self.killer = termination.Termination(self)
            self.killer.begin(grace)

    def gone(self) -> None:
        """The pod is no more in the API: stop at once and free what it held."""
        if self.stage is Stage.GONE:
            return
        if self.stage in (Stage.ACTIVE, Stage.TERMINATING):
            termination.announce(self)
        self.stage = Stage.GONE
        self.stop()
        self.release()

    def stop(self) -> None:
        """Do nothing any more."""
        for timer in (self._sync_timer, self._retry):
            if timer is not None:
                timer.cancel()
        self.prober.stop()

    def release(self) -> None:
        """Free resources and devices."""
        if self.requested:
            self.agent.take(self.requested, -1)
            self.requested = {}
        for resource in sorted(self.agent.devices):
            self.agent.devices[resource].release(self.uid)
