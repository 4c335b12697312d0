"""Removes the pods of nodes that no longer exist, and those that end on nodes out of service.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/podgc/gc_controller.go
"""

from contextlib import suppress

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.disruption import disrupted

ROUND_SECONDS = 20.0
QUARANTINE_SECONDS = 40.0
"""How long a missing node may still come back."""
TAINT = "node.kubernetes.io/out-of-service"
USER = "system:serviceaccount:kube-system:pod-garbage-collector"

_ENDED = ("Succeeded", "Failed")


class PodGarbageCollector:
    """Looks at pods only when a node has gone, or a pod was bound to none."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._nodes: set[str] = set()
        self._quarantined: set[str] = set()
        self._out_of_service: set[str] = set()
        api.watch("nodes", sink=self._node_event)
        api.watch("pods", sink=self._pod_event)

    def _node_event(self, event: WatchEvent) -> None:
        name = event.object["metadata"]["name"]
        if event.type == "DELETED":
            self._nodes.discard(name)
            self._quarantine(name)
            self._out_of_service.discard(name)
            return
        self._nodes.add(name)
        if not _out_of_service(event.object):
            self._out_of_service.discard(name)
        elif name not in self._out_of_service:
            self._out_of_service.add(name)
            self._clock.at(_next_round(self._clock.now), lambda: self._collect_ending(name))

    def _collect_ending(self, node: str) -> None:
        """Remove the pods that somebody has deleted: nobody is there to end them.

        https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown
        """
        if node not in self._out_of_service:
            return
        for pod in self._api.list("pods", field_selector=f"spec.nodeName={node}").items:
            if "deletionTimestamp" in pod["metadata"]:
                with suppress(APIError, CallTimeoutError):
                    self._fail_and_delete(pod, pod["status"])
        self._clock.at(_next_round(self._clock.now), lambda: self._collect_ending(node))

    def _pod_event(self, event: WatchEvent) -> None:
        node = event.object["spec"].get("nodeName")
        if node and node not in self._nodes and event.type != "DELETED":
            self._quarantine(node)

    def _quarantine(self, node: str) -> None:
        if node in self._quarantined:
            return
        self._quarantined.add(node)
        seen = _next_round(self._clock.now)
        self._clock.at(_next_round(seen + QUARANTINE_SECONDS), lambda: self._collect(node))

    def _collect(self, node: str) -> None:
        self._quarantined.discard(node)
        if node in self._nodes:
            return
        for pod in self._api.list("pods", field_selector=f"spec.nodeName={node}").items:
            try:
                self._remove(pod)
            except (APIError, CallTimeoutError):
                self._quarantine(node)

    def _remove(self, pod: JSON) -> None:
        now, text = self._clock.timestamp(), "PodGC: node no longer exists"
        self._fail_and_delete(pod, disrupted(pod, "DeletionByPodGC", text, now))

    def _fail_and_delete(self, pod: JSON, status: JSON) -> None:
        meta = pod["metadata"]
        if pod["status"].get("phase") not in _ENDED:
            failed = {**status, "phase": "Failed"}
            self._api.set_status("pods", meta["namespace"], meta["name"], failed, user=USER)
        self._api.delete(
            "pods",
            meta["namespace"],
            meta["name"],
            grace_period_seconds=0,
            uid=meta["uid"],
            user=USER,
        )


def _out_of_service(node: JSON) -> bool:
    """It is said to be off, and does not say otherwise."""
    taints = node["spec"].get("taints") or ()
    conditions = (node.get("status") or {}).get("conditions") or ()
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return not ready and any(taint["key"] == TAINT for taint in taints)


def _next_round(when: float) -> float:
    return (when // ROUND_SECONDS + 1) * ROUND_SECONDS
