"""Deletes pods from nodes whose NoExecute taints they do not, or no longer, tolerate.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/tainteviction/taint_eviction.go
"""

from hourglass_kube.node import Taint, view
from hourglass_kube.toleration import NO_EXECUTE, tolerates
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock, Timer
from hourglass_simulator.controllers.disruption import disrupted
from hourglass_simulator.controllers.nodereports import NodeReports
from hourglass_simulator.recorder import NORMAL, EventRecorder, reference

LATENCY_SECONDS = 0.05
RETRY_SECONDS = 1.0
USER = "system:serviceaccount:kube-system:taint-eviction-controller"


class TaintEviction:
    """Holds a timer for each pod that tolerates its node's taints for a while only."""

    def __init__(self, clock: Clock, api: APIServer, reports: NodeReports) -> None:
        self._clock = clock
        self._api = api
        self._reports = reports
        self._taints: dict[str, tuple[Taint, ...]] = {}
        self._timers: dict[str, Timer] = {}
        self._recorder = EventRecorder(clock, api, "taint-eviction-controller")
        api.watch("nodes", sink=self._node_event)
        api.watch("pods", sink=self._pod_event)

    def _node_event(self, event: WatchEvent) -> None:
        node = event.object
        name = node["metadata"]["name"]
        before = self._taints.pop(name, ())
        taints: tuple[Taint, ...] = ()
        if event.type != "DELETED" and node["spec"].get("taints"):
            taints = tuple(t for t in view(node).taints if t.effect == NO_EXECUTE)
        if taints:
            self._taints[name] = taints
        if taints != before:
            self._clock.after(LATENCY_SECONDS, lambda: self._node_changed(name))

    def _pod_event(self, event: WatchEvent) -> None:
        if not self._taints and not self._timers:
            return
        pod = event.object
        uid = pod["metadata"]["uid"]
        if event.type == "DELETED" or "deletionTimestamp" in pod["metadata"]:
            if timer := self._timers.pop(uid, None):
                timer.cancel()
        elif uid not in self._timers and pod["spec"].get("nodeName") in self._taints:
            self._clock.after(LATENCY_SECONDS, lambda: self._consider(pod))

    def _node_changed(self, node: str) -> None:
        for pod in self._reports.pods(node):
            self._consider(pod)

    def _consider(self, pod: JSON) -> None:
        uid = pod["metadata"]["uid"]
        seconds = self._tolerated(pod)
        timer = self._timers.get(uid)
        if seconds is None:
            if timer is not None:
                self._timers.pop(uid).cancel()
                self._record(pod, "Cancelling deletion of Pod")
        elif timer is None or timer.when > self._clock.now + seconds:
            if timer is not None:
                timer.cancel()
            self._timers[uid] = self._clock.after(seconds, lambda: self._evict(pod))

    def _tolerated(self, pod: JSON) -> float | None:
        """For how many seconds a pod tolerates its node's taints; None: for ever."""
        taints = self._taints.get(pod["spec"]["nodeName"], ())
        tolerations = pod["spec"].get("tolerations") or ()
        shortest: float | None = None
        for taint in taints:
            used = [t for t in tolerations if tolerates(t, taint)]
            if not used:
                return 0.0
            for toleration in used:
                seconds = toleration.get("tolerationSeconds")
                if seconds is not None:
                    seconds = max(0.0, float(seconds))
                    shortest = seconds if shortest is None else min(shortest, seconds)
        return shortest

    def _evict(self, pod: JSON) -> None:
        meta = pod["metadata"]
        uid = meta["uid"]
        self._timers.pop(uid, None)
        self._record(pod, "Marking for deletion Pod")
        try:
            current = self._api.get("pods", meta["namespace"], meta["name"], user=USER)
            if current["metadata"]["uid"] != uid:
                return
            status = disrupted(
                current,
                "DeletionByTaintManager",
                "Taint manager: deleting due to NoExecute taint",
                self._clock.timestamp(),
            )
            self._api.set_status("pods", meta["namespace"], meta["name"], status, user=USER)
            self._api.delete("pods", meta["namespace"], meta["name"], uid=uid, user=USER)
        except APIError as error:
            if error.code != 404:
                self._timers[uid] = self._clock.after(RETRY_SECONDS, lambda: self._evict(pod))
        except CallTimeoutError:
            self._timers[uid] = self._clock.after(RETRY_SECONDS, lambda: self._evict(pod))

    def _record(self, pod: JSON, what: str) -> None:
        meta = pod["metadata"]
        text = f"{what} {meta['namespace']}/{meta['name']}"
        self._recorder.event(reference(pod), NORMAL, "TaintManagerEviction", text)
