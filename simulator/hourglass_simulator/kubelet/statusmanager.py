"""Writes a pod's status to the API server, and tries again when it could not.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/status/status_manager.go
"""

from collections.abc import Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, CallTimeoutError
from hourglass_simulator.clock import Timer
from hourglass_simulator.kubelet import eviction, podresources, status
from hourglass_simulator.kubelet.admission import Rejection
from hourglass_simulator.kubelet.phase import FAILED, FINAL, phase
from hourglass_simulator.kubelet.pod import NodePod, Stage
from hourglass_simulator.recorder import NORMAL

RETRY_SECONDS = 1.0
"""From a status that could not be written to the next attempt."""
_OTHERS = ("resourceClaimStatuses", "extendedResourceClaimStatus")
"""What of a status is not the kubelet's."""


class StatusManager:
    """The status of one pod."""

    __slots__ = ("_pod", "_reported", "_retry", "_status")

    def __init__(self, pod: NodePod) -> None:
        self._pod = pod
        self._retry: Timer | None = None
        self._reported: list[JSON] = []
        """The kubelet's own conditions as it has reported them last."""
        self._status: JSON = {}
        """What it has found last; its phase may be one that is not reported yet."""

    def report(self, *, finished: bool = False) -> str:
        """Write the status if it has changed; the result is the phase that was found.

        `finished`: all containers have stopped for good. Before that no final phase is written.
        """
        pod = self._pod
        for container in pod.all_containers:
            container.prune()
        statuses = {c.name: status.container_status(pod, c) for c in pod.all_containers}
        found = phase(pod, statuses, terminal=finished)
        before: str = self._status.get("phase", "")
        if found not in FINAL and before in FINAL:
            found = before
        if pod.deadline_passed and pod.ended_by_kubelet is not None:
            found = FAILED
            pod.event(NORMAL, *pod.ended_by_kubelet)
        new = self._generate(statuses, found, finished)
        if before == found and "reason" in self._status:
            new |= {k: self._status[k] for k in ("reason", "message")}
        elif pod.ended_by_kubelet is not None and found == FAILED:
            # Containers that end well make it Succeeded, and the reason is lost.
            new["reason"], new["message"] = pod.ended_by_kubelet
        self._status = new
        self._write(self._reportable(new, finished=finished))
        return found

    def report_terminated(self) -> None:
        """Write that the pod has ended, whatever became of its containers."""
        self._status = status.terminated(self._pod, self._status)
        self._write(self._status)

    def report_sandbox(self) -> None:
        """Write that the containers may start, and nothing else, if the version does so.

        https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/kubelet.go#L3621
        """
        pod = self._pod
        if not self._status or not pod.runtime.api.version.says_why_there_is_no_sandbox:
            return
        generation = pod.object["metadata"].get("generation", 1)
        ready, now = status.ready_to_start(pod), pod.timestamp()

        def changed(conditions: Sequence[JSON]) -> list[JSON]:
            return [
                status.condition(c["type"], ready, c, generation, now)
                if c["type"] == status.READY_TO_START
                else c
                for c in conditions
            ]

        self._reported = changed(self._reported)
        self._status = {**self._status, "conditions": changed(self._status["conditions"])}
        self._write(self._reportable(self._status, finished=False))

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
            "phase": FAILED,
            "message": f"Pod was rejected: {refusal.message}",
            "reason": refusal.reason,
            "startTime": pod.timestamp(),
            "qosClass": old.get("qosClass", "BestEffort"),
        }
        self._write({**new, "conditions": kept} if kept else new)

    def stop(self) -> None:
        """Do not try again any more."""
        if self._retry is not None:
            self._retry.cancel()

    def _generate(self, statuses: dict[str, JSON], found: str, finished: bool) -> JSON:
        pod = self._pod
        old = pod.object.get("status") or {}
        generation, now = pod.object["metadata"].get("generation", 1), pod.timestamp()
        new: JSON = {
            "observedGeneration": generation,
            "phase": found,
            "conditions": self._conditions(statuses, found, finished, now),
            "hostIP": pod.agent.host_ip,
            "hostIPs": [{"ip": pod.agent.host_ip}],
            "startTime": pod.start_time or now,
        }
        if pod.init_containers:
            new["initContainerStatuses"] = [statuses[c.name] for c in pod.init_containers]
        # As the kubelet sorts them.
        names = sorted(c.name for c in pod.containers)
        new["containerStatuses"] = [statuses[name] for name in names]
        new["qosClass"] = old.get("qosClass", "BestEffort")
        if pod.runtime.api.version.enabled("InPlacePodLevelResourcesVerticalScaling"):
            allocated = pod.allocated_spec
            new["resources"] = podresources.of_pod(allocated)
            if requests := podresources.requests(allocated):
                new["allocatedResources"] = requests
        if pod.ephemeral_containers:
            names = sorted(c.name for c in pod.ephemeral_containers)
            new["ephemeralContainerStatuses"] = [statuses[name] for name in names]
        if pod.ip:
            new["podIP"], new["podIPs"] = pod.ip, [{"ip": pod.ip}]
        return new

    def _conditions(
        self, statuses: dict[str, JSON], found: str, finished: bool, now: str
    ) -> list[JSON]:
        pod = self._pod
        generation = pod.object["metadata"].get("generation", 1)
        stored = (pod.object.get("status") or {}).get("conditions") or ()
        if finished and pod.ended_by_kubelet is not None and pod.disrupted:
            stored = eviction.with_disruption(stored, pod.ended_by_kubelet[1], generation, now)
        foreign = [c for c in stored if c["type"] not in status.OWN_CONDITIONS]
        # What others made of the kubelet's own conditions does not count.
        before = self._reported or [c for c in stored if c["type"] in status.OWN_CONDITIONS]
        known = {c["type"]: c for c in before}
        resizes = dict(sorted(pod.resize_conditions.items(), reverse=True)) if not finished else {}
        own = {**resizes, **status.conditions(pod, statuses, found, foreign)}
        self._reported = [
            status.condition(
                kind, fields, known.get(kind), fields.get("observedGeneration", generation), now
            )
            for kind, fields in own.items()
        ]
        return foreign + self._reported

    def _reportable(self, new: JSON, *, finished: bool) -> JSON:
        """A pod is not over before its containers are known to be gone."""
        if finished or new["phase"] not in FINAL:
            return new
        old = self._pod.object.get("status") or {}
        shown = {k: v for k, v in new.items() if k not in ("reason", "message")}
        kept = {k: old[k] for k in ("reason", "message") if k in old}
        return {**shown, **kept, "phase": old.get("phase", "Pending")}

    def _write(self, new: JSON) -> None:
        pod = self._pod
        meta = pod.object["metadata"]
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        old = pod.object.get("status") or {}
        new = {**new, **{key: old[key] for key in _OTHERS if key in old}}
        if new == old:
            return
        try:
            pod.runtime.api.set_status("pods", meta["namespace"], meta["name"], new, user=pod.user)
        except (APIError, CallTimeoutError):
            if pod.stage is not Stage.GONE:
                self._retry = pod.runtime.clock.after(RETRY_SECONDS, lambda: self._write(new))
