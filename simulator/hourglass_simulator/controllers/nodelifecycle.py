"""Node lifecycle: nodes that no longer report, and the taints that follow from conditions.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/nodelifecycle/node_lifecycle_controller.go
"""

from collections.abc import Callable
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.nodereports import NodeReports
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference

MONITOR_SECONDS = 5.0
"""How often nodes are looked at."""
GRACE_SECONDS = 50.0
"""How long a kubelet may say nothing."""
EVICTION_INTERVAL_SECONDS = 10.0
"""From one NoExecute taint in a zone to the next."""
LATENCY_SECONDS = 0.05
RETRY_SECONDS = 1.0
USER = "system:serviceaccount:kube-system:node-controller"

_TAINTS = {
    ("Ready", "False"): "not-ready",
    ("Ready", "Unknown"): "unreachable",
    ("MemoryPressure", "True"): "memory-pressure",
    ("DiskPressure", "True"): "disk-pressure",
    ("PIDPressure", "True"): "pid-pressure",
    ("NetworkUnavailable", "True"): "network-unavailable",
}
_PREFIX = "node.kubernetes.io/"
_UNSCHEDULABLE = f"{_PREFIX}unschedulable"
_OWN = frozenset([_UNSCHEDULABLE, *(_PREFIX + name for name in _TAINTS.values())])
_LOST = frozenset((f"{_PREFIX}not-ready", f"{_PREFIX}unreachable"))
_POSTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class NodeLifecycle:
    """Marks, taints and clears nodes."""

    def __init__(self, clock: Clock, api: APIServer, reports: NodeReports) -> None:
        self._clock = clock
        self._api = api
        self._reports = reports
        self._nodes: dict[str, JSON] = {}
        self._due: set[str] = set()
        self._next_eviction: dict[str, float] = {}
        self._recorder = EventRecorder(clock, api, "node-controller")
        api.watch("nodes", sink=self._node_event)
        reports.on_silence.append(self._silent)

    def _node_event(self, event: WatchEvent) -> None:
        node = event.object
        name = node["metadata"]["name"]
        if event.type == "DELETED":
            self._nodes.pop(name, None)
            return
        self._nodes[name] = node
        if _schedule_taints(node) != _kept(node, "NoSchedule"):
            self._soon(name, LATENCY_SECONDS)
        if _execute_taint(node) != _kept(node, "NoExecute"):
            self._monitor(name)

    # Silence

    def _silent(self, name: str) -> None:
        """A kubelet may have just reported for the last time."""
        over = self._clock.now + GRACE_SECONDS
        self._clock.at(_next_round(over), lambda: self._check(name))

    def _check(self, name: str) -> None:
        node = self._nodes.get(name)
        now = self._clock.now
        if node is None or now - self._reports.heartbeat(name) < GRACE_SECONDS:
            return
        if _ready(node) == "Unknown":
            return
        was_ready = _ready(node) == "True"
        conditions = [_unknown(c, self._clock.timestamp()) for c in node["status"]["conditions"]]
        try:
            status = {**node["status"], "conditions": conditions}
            self._api.set_status("nodes", "", name, status, user=USER)
        except (APIError, CallTimeoutError):
            self._clock.after(RETRY_SECONDS, lambda: self._check(name))
            return
        if was_ready:
            text = f"Node {name} status is now: NodeNotReady"
            self._recorder.event(reference(node), NORMAL, "NodeNotReady", text)
            for pod in self._reports.pods(name):
                self._unready(pod)

    def _unready(self, pod: JSON) -> None:
        """The pods of a lost node are not ready, whatever their kubelet would say."""
        meta = pod["metadata"]
        conditions = pod["status"].get("conditions") or []
        now = self._clock.timestamp()
        new = [
            {**c, "status": "False", "lastTransitionTime": now}
            if c["type"] == "Ready" and c["status"] == "True"
            else c
            for c in conditions
        ]
        if new == conditions:
            return
        try:
            status = {**pod["status"], "conditions": new}
            self._api.set_status("pods", meta["namespace"], meta["name"], status, user=USER)
        except (APIError, CallTimeoutError):
            self._clock.after(RETRY_SECONDS, lambda: self._retry_unready(pod))
            return
        self._recorder.event(reference(pod), WARNING, "NodeNotReady", "Node is not ready")

    def _retry_unready(self, pod: JSON) -> None:
        for current in self._reports.pods(pod["spec"]["nodeName"]):
            if current["metadata"]["uid"] == pod["metadata"]["uid"]:
                self._unready(current)

    # Taints

    def _soon(self, name: str, seconds: float) -> None:
        if name not in self._due:
            self._due.add(name)
            self._clock.after(seconds, lambda: self._taint_for_scheduling(name))

    def _taint_for_scheduling(self, name: str) -> None:
        self._due.discard(name)
        node = self._nodes.get(name)
        if node is None:
            return
        wanted = _schedule_taints(node)
        if wanted != _kept(node, "NoSchedule"):
            retry = lambda: self._soon(name, RETRY_SECONDS)  # noqa: E731
            self._replace(node, "NoSchedule", wanted, retry)

    def _monitor(self, name: str) -> None:
        """Taint at once, but one node of a zone after another; clear in the next round."""
        node = self._nodes[name]
        when = _next_round(self._clock.now)
        if _execute_taint(node):
            zone = _zone(node)
            when = max(self._clock.now + LATENCY_SECONDS, self._next_eviction.get(zone, 0.0))
            if not _kept(node, "NoExecute"):
                self._next_eviction[zone] = when + EVICTION_INTERVAL_SECONDS
        self._clock.at(when, lambda: self._taint_for_execution(name))

    def _taint_for_execution(self, name: str) -> None:
        node = self._nodes.get(name)
        if node is None:
            return
        wanted = _execute_taint(node)
        if wanted == _kept(node, "NoExecute"):
            return
        if wanted and all(_ready(other) != "True" for other in self._nodes.values()):
            # Everything is lost: rather the controller's own network, so nothing is evicted.
            self._clock.after(MONITOR_SECONDS, lambda: self._taint_for_execution(name))
            return
        retry = lambda: self._taint_for_execution(name)  # noqa: E731
        self._replace(node, "NoExecute", wanted, lambda: self._clock.after(RETRY_SECONDS, retry))

    def _replace(self, node: JSON, effect: str, keys: list[str], retry: Callable[[], Any]) -> None:
        own = _OWN if effect == "NoSchedule" else _LOST
        taints = [
            taint
            for taint in node["spec"].get("taints") or ()
            if taint["effect"] != effect or taint["key"] not in own or taint["key"] in keys
        ]
        present = {taint["key"] for taint in taints if taint["effect"] == effect}
        now = self._clock.timestamp()
        missing = [key for key in keys if key not in present]
        taints += [{"key": key, "effect": effect, "timeAdded": now} for key in missing]
        patch = {"spec": {"taints": taints or None}}
        try:
            self._api.patch("nodes", "", node["metadata"]["name"], patch, user=USER)
        except (APIError, CallTimeoutError):
            retry()


def _schedule_taints(node: JSON) -> list[str]:
    """The NoSchedule taints that follow from a node's conditions and from being cordoned."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    found = {(c["type"], c["status"]) for c in conditions}
    keys = [_PREFIX + taint for state, taint in _TAINTS.items() if state in found]
    if node["spec"].get("unschedulable"):
        keys.append(_UNSCHEDULABLE)
    return sorted(keys)


def _execute_taint(node: JSON) -> list[str]:
    key = _TAINTS.get(("Ready", _ready(node)))
    return [_PREFIX + key] if key else []


def _kept(node: JSON, effect: str) -> list[str]:
    """The controller's own taints that the node has."""
    own = _OWN if effect == "NoSchedule" else _LOST
    taints = node["spec"].get("taints") or ()
    return sorted(t["key"] for t in taints if t["effect"] == effect and t["key"] in own)


def _ready(node: JSON) -> str:
    for condition in (node.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready":
            return str(condition["status"])
    return "True"


def _zone(node: JSON) -> str:
    labels = node["metadata"].get("labels") or {}
    return (
        f"{labels.get('topology.kubernetes.io/region')}/{labels.get('topology.kubernetes.io/zone')}"
    )


def _unknown(condition: JSON, now: str) -> JSON:
    if condition["type"] not in _POSTED or condition["status"] == "Unknown":
        return condition
    return {
        **condition,
        "status": "Unknown",
        "lastTransitionTime": now,
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
    }


def _next_round(when: float) -> float:
    return (when // MONITOR_SECONDS + 1) * MONITOR_SECONDS
