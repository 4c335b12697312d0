"""Removes the pods of nodes that no longer exist.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/podgc/gc_controller.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.disruption import disrupted

ROUND_SECONDS = 20.0
QUARANTINE_SECONDS = 40.0
"""How long a missing node may still come back."""
USER = "system:serviceaccount:kube-system:pod-garbage-collector"

_ENDED = ("Succeeded", "Failed")


class PodGarbageCollector:
    """Looks at pods only when a node has gone, or a pod was bound to none."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._nodes: set[str] = set()
        self._quarantined: set[str] = set()
        api.watch("nodes", sink=self._node_event)
        api.watch("pods", sink=self._pod_event)

    def _node_event(self, event: WatchEvent) -> None:
        name = event.object["metadata"]["name"]
        if event.type == "DELETED":
            self._nodes.discard(name)
            self._quarantine(name)
        else:
            self._nodes.add(name)

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
        meta = pod["metadata"]
        if pod["status"].get("phase") not in _ENDED:
            status = disrupted(
                pod,
                "DeletionByPodGC",
                "PodGC: node no longer exists",
                self._clock.timestamp(),
            )
            status = {**status, "phase": "Failed"}
            self._api.set_status("pods", meta["namespace"], meta["name"], status, user=USER)
        self._api.delete(
            "pods",
            meta["namespace"],
            meta["name"],
            grace_period_seconds=0,
            uid=meta["uid"],
            user=USER,
        )


def _next_round(when: float) -> float:
    return (when // ROUND_SECONDS + 1) * ROUND_SECONDS
