"""Writes a pod's status to the API server, and tries again when it could not.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/status/status_manager.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, CallTimeoutError
from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet import eviction, status
from hourglass_simulator.kubelet.admission import Rejection
from hourglass_simulator.kubelet.pod import NodePod, Stage

RETRY_SECONDS = 1.0
"""From a status that could not be written to the next attempt."""


class StatusManager:
    """The status of one pod."""

    __slots__ = ("_pod", "_reported", "_retry")

    def __init__(self, pod: NodePod) -> None:
        self._pod = pod
        self._retry: Timer | None = None
        self._reported: list[JSON] = []
        """The kubelet's own conditions as it has reported them last."""

    def report(self, *, finished: bool = False, lost: bool = False) -> None:
        """Write the status if it has changed.

        `finished`: all containers have stopped for good. `lost`: containers that were never
        created are reported as lost.
        """
        pod = self._pod
        old = pod.object.get("status") or {}
        generation = pod.object["metadata"].get("generation", 1)
        deleting = pod.stage is not Stage.ACTIVE
        life = status.Life(generation, pod.sandbox, deleting, finished, lost)
        policy = pod.restart_policy
        for container in pod.containers:
            container.prune()
        statuses = [status.container_status(c, policy, life) for c in pod.containers]
        phase = status.phase(statuses, policy, finished)
        now = pod.runtime.clock.timestamp()
        stored = old.get("conditions") or ()
        if finished and pod.ended_by_kubelet is not None:
            stored = eviction.with_disruption(stored, pod.ended_by_kubelet[1], generation, now)
        foreign = [c for c in stored if c["type"] not in status.OWN_CONDITIONS]
        # What others made of the kubelet's own conditions does not count.
        own = self._reported or [c for c in stored if c["type"] in status.OWN_CONDITIONS]
        self._reported = status.conditions(statuses, phase, life, own, now)
        new: JSON = {
            "observedGeneration": generation,
            # A pod is not over before its containers are known to be gone.
            "phase": phase if finished or phase == "Pending" else "Running",
            "conditions": foreign + self._reported,
            "hostIP": pod.agent.host_ip,
            "hostIPs": [{"ip": pod.agent.host_ip}],
            "startTime": pod.start_time or now,
            "containerStatuses": statuses,
            "qosClass": old.get("qosClass", "BestEffort"),
        }
        if pod.ended_by_kubelet is not None and new["phase"] == "Failed":
            # Containers that end well make it Succeeded, and the reason is lost.
            new["reason"], new["message"] = pod.ended_by_kubelet
        if pod.ip:
            new["podIP"], new["podIPs"] = pod.ip, [{"ip": pod.ip}]
        self._write(new)

    def report_change(self) -> None:
        """Write the status unless the kubelet is away or the pod has ended."""
        if self._pod.agent.up and self._pod.stage in (Stage.ACTIVE, Stage.TERMINATING):
            self.report()

    def report_rejection(self, refusal: Rejection) -> None:
        """Write that the pod is not run at all."""
        pod = self._pod
        old = pod.object.get("status") or {}
        kept = [c for c in old.get("conditions") or () if c["type"] not in status.OWN_CONDITIONS]
        new = {
            "observedGeneration": pod.object["metadata"].get("generation", 1),
            "phase": "Failed",
            "message": f"Pod was rejected: {refusal.message}",
            "reason": refusal.reason,
            "startTime": pod.runtime.clock.timestamp(),
            "qosClass": old.get("qosClass", "BestEffort"),
        }
        self._write({**new, "conditions": kept} if kept else new)

    def stop(self) -> None:
        """Do not try again any more."""
        if self._retry is not None:
            self._retry.cancel()

    def _write(self, new: JSON) -> None:
        pod = self._pod
        meta = pod.object["metadata"]
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if new == pod.object.get("status"):
            return
        try:
            pod.runtime.api.set_status("pods", meta["namespace"], meta["name"], new, user=pod.user)
        except (APIError, CallTimeoutError):
            if pod.stage is not Stage.GONE:
                self._retry = pod.runtime.clock.after(RETRY_SECONDS, lambda: self._write(new))
