"""kube-scheduler's loop: a queue of pods, a verdict for each, bindings and Events.

https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
"""

import heapq
from functools import partial
from typing import Any

from hourglass_simulator.apiserver import APIError, APIServer, CallTimeout, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference
from hourglass_simulator.scheduler import filters, verdict
from hourglass_simulator.scheduler.placement import Placement, kind_of, misfits
from hourglass_simulator.scheduler.preemption import candidate
from hourglass_simulator.scheduler.snapshot import NodeInfo, PodInfo, node_info, pod_info

JSON = dict[str, Any]

NAME = "default-scheduler"
LATENCY = 0.01
"""Seconds from a pod's appearance to its verdict."""
BACKOFF_BASE, BACKOFF_LIMIT = 1.0, 10.0
FLUSH = 300.0
"""Pods that nothing has happened for are tried again after this many seconds."""
_ENDED = ("Succeeded", "Failed")


class Scheduler:
    """Schedules every pod that names it; deterministic: of equal nodes the first by name."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._events = EventRecorder(clock, api, NAME)
        self._nodes: dict[str, NodeInfo] = {}
        self._homeless: dict[str, dict[str, PodInfo]] = {}
        self._node_of: dict[str, str] = {}
        self._repelling: dict[str, PodInfo] = {}
        self._pending: dict[str, JSON] = {}
        self._attempts: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        # Ordered, as sets of texts are not the same in every process.
        self._unschedulable: dict[str, None] = {}
        self._active: list[tuple[int, int, str]] = []
        self._queued: set[str] = set()
        self._sequence = 0
        self._changes: list[str] = []
        self._placements: dict[str, Placement] = {}
        self._kinds: dict[str, str] = {}
        self._nominated: dict[str, str] = {}
        self._cycling = False
        api.watch("nodes", sink=self._node)
        api.watch("pods", sink=self._pod)

    # Watches: they only take note, decisions come later on the clock.

    def _node(self, event: WatchEvent) -> None:
        name = event.object["metadata"]["name"]
        before = self._nodes.get(name)
        if event.type == "DELETED":
            if before is not None:
                del self._nodes[name]
                self._homeless[name] = before.pods
                self._changed(name)
            return
        info = node_info(event.object)
        if before is not None and before.view == info.view:
            return
        self._nodes[name] = info
        pods = before.pods if before is not None else self._homeless.pop(name, {})
        for pod in pods.values():
            info.add(pod)
        self._changed(name)
        self._retry_all()

    def _pod(self, event: WatchEvent) -> None:
        pod = event.object
        meta, spec = pod["metadata"], pod["spec"]
        uid = meta["uid"]
        gone = event.type == "DELETED" or (pod.get("status") or {}).get("phase") in _ENDED
        node = spec.get("nodeName")
        if gone or node:
            self._forget(uid)
        if gone:
            self._leave(uid)
        elif node:
            if self._node_of.get(uid) != node:
                self._arrive(pod_info(pod), node)
        elif spec.get("schedulerName", NAME) == NAME and "deletionTimestamp" not in meta:
            known = uid in self._pending
            self._pending[uid] = pod
            if not known:
                self._enqueue(uid)
        elif uid in self._pending:
            self._forget(uid)

    def _arrive(self, pod: PodInfo, node: str) -> None:
        self._leave(pod.uid)
        self._node_of[pod.uid] = node
        if filters.repels(pod):
            self._repelling[pod.uid] = pod
        info = self._nodes.get(node)
        if info is None:
            self._homeless.setdefault(node, {})[pod.uid] = pod
            return
        info.add(pod)
        self._changed(node)

    def _leave(self, uid: str) -> None:
        node = self._node_of.pop(uid, None)
        self._repelling.pop(uid, None)
        if node is None:
            return
        info = self._nodes.get(node)
        if info is None:
            self._homeless.get(node, {}).pop(uid, None)
            return
        info.remove(uid)
        self._changed(node)
        self._retry_all()

    def _forget(self, uid: str) -> None:
        self._pending.pop(uid, None)
        self._attempts.pop(uid, None)
        self._not_before.pop(uid, None)
        self._kinds.pop(uid, None)
        self._nominated.pop(uid, None)
        self._unschedulable.pop(uid, None)

    def _changed(self, node: str) -> None:
        self._changes.append(node)

    # The queue

    def _enqueue(self, uid: str) -> None:
        if uid in self._queued or uid not in self._pending:
            return
        self._queued.add(uid)
        self._sequence += 1
        priority = self._pending[uid]["spec"].get("priority") or 0
        heapq.heappush(self._active, (-priority, self._sequence, uid))
        if not self._cycling:
            self._cycling = True
            self._clock.after(LATENCY, self._cycle)

    def _retry_all(self) -> None:
        """Something changed that may help: try every unschedulable pod again after its back-off."""
        for uid in sorted(self._unschedulable, key=lambda u: self._not_before.get(u, 0.0)):
            self._clock.at(self._not_before.get(uid, 0.0), partial(self._enqueue, uid))
        self._unschedulable.clear()

    def _flush(self, uid: str) -> None:
        if uid in self._unschedulable:
            self._unschedulable.pop(uid, None)
            self._enqueue(uid)

    def _cycle(self) -> None:
        """Give every queued pod its verdict."""
        while self._active:
            _, _, uid = heapq.heappop(self._active)
            self._queued.discard(uid)
            pod = self._pending.get(uid)
            if pod is not None:
                self._schedule(uid, pod)
        self._cycling = False

    # One pod

    def _schedule(self, uid: str, pod: JSON) -> None:
        info = pod_info(pod)
        if not self._nodes:
            self._fail(uid, pod, verdict.NO_NODES)
            return
        placement = self._placement(uid, info)
        node = self._choose(info, placement)
        if node is not None:
            self._bind(pod, node)
            return
        wrong = self._misfits(info, placement)
        told = verdict.sentence(wrong)
        preemption = self._preempt(uid, pod, info, placement, wrong)
        self._fail(uid, pod, verdict.with_preemption(told, preemption) if preemption else told)

    def _placement(self, uid: str, info: PodInfo) -> Placement:
        kind = self._kinds.get(uid)
        if kind is None:
            kind = self._kinds[uid] = kind_of(info)
        placement = self._placements.get(kind)
        if placement is None:
            placement = self._placements[kind] = Placement(info)
            names = list(self._nodes)
        else:
            names = list(dict.fromkeys(self._changes[placement.seen :]))
        placement.seen = len(self._changes)
        for name in names:
            placement.refresh(name, self._nodes.get(name))
        return placement

    def _choose(self, info: PodInfo, placement: Placement) -> str | None:
        if not filters.constrained(info) and not self._repelling:
            return placement.best()
        return next(
            (n for n in placement.ranked() if self._topology(info, self._nodes[n]) is None), None
        )

    def _topology(self, info: PodInfo, node: NodeInfo) -> filters.Misfit | None:
        if filters.constrained(info):
            misfit = filters.topology(info, node, self._nodes.values())
            if misfit is not None:
                return misfit
        repelling = (
            (other, self._nodes[self._node_of[uid]])
            for uid, other in self._repelling.items()
            if self._node_of[uid] in self._nodes
        )
        if filters.repelled(info, node, repelling):
            return filters.EXISTING_ANTI_AFFINITY
        return None

    def _misfits(self, info: PodInfo, placement: Placement) -> dict[str, filters.Misfit]:
        found = misfits(placement, self._nodes)
        for name, node in self._nodes.items():
            if name not in found:
                misfit = self._topology(info, node)
                if misfit is not None:
                    found[name] = misfit
        return found

    def _preempt(
        self,
        uid: str,
        pod: JSON,
        info: PodInfo,
        placement: Placement,
        wrong: dict[str, filters.Misfit],
    ) -> str:
        """Make room by deleting victims; what is said if that is not possible."""
        if pod["spec"].get("preemptionPolicy") == "Never":
            return verdict.NEVER_PREEMPTS
        nominated = self._nodes.get(self._nominated.get(uid, ""))
        if nominated and any(
            p.terminating and p.priority < info.priority for p in nominated.pods.values()
        ):
            return verdict.TERMINATING
        chosen = candidate(info, placement, self._nodes, wrong)
        if chosen is None:
            return verdict.fruitless(wrong)
        node, victims = chosen
        self._nominated[uid] = node
        for victim in victims:
            self._evict(pod, victim, node)
        return ""

    def _evict(self, pod: JSON, victim: PodInfo, node: str) -> None:
        meta = pod["metadata"]
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": f"{NAME}: preempting to accommodate a higher priority pod",
            "lastTransitionTime": self._clock.timestamp(),
        }
        try:
            found = self._api.get("pods", victim.namespace, victim.name)
            if "deletionTimestamp" in found["metadata"]:
                return
            status = found.get("status") or {}
            others = [c for c in status.get("conditions") or () if c["type"] != condition["type"]]
            changed = {**status, "conditions": [*others, condition]}
            self._api.set_status("pods", victim.namespace, victim.name, changed, NAME)
            self._api.delete("pods", victim.namespace, victim.name, user=NAME)
        except (APIError, CallTimeout):
            return
        text = f"Preempted by pod {meta['uid']} on node {node}"
        self._events.event(reference(found), NORMAL, "Preempted", text)

    def _bind(self, pod: JSON, node: str) -> None:
        meta = pod["metadata"]
        namespace, name = meta["namespace"], meta["name"]
        try:
            self._api.bind(namespace, name, node, user=NAME)
        except (APIError, CallTimeout):
            self._back_off(meta["uid"])
            self._clock.at(self._not_before[meta["uid"]], lambda: self._enqueue(meta["uid"]))
            return
        text = f"Successfully assigned {namespace}/{name} to {node}"
        self._events.event(reference(pod), NORMAL, "Scheduled", text)

    def _fail(self, uid: str, pod: JSON, message: str) -> None:
        self._back_off(uid)
        self._unschedulable[uid] = None
        self._clock.after(FLUSH, lambda: self._flush(uid))
        meta, status = pod["metadata"], pod.get("status") or {}
        self._events.event(reference(pod), WARNING, "FailedScheduling", message)
        before = next(
            (c for c in status.get("conditions") or () if c["type"] == "PodScheduled"), None
        )
        if before is not None and before.get("message") == message:
            return
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": before["lastTransitionTime"]
            if before
            else self._clock.timestamp(),
            "reason": "Unschedulable",
            "message": message,
        }
        others = [c for c in status.get("conditions") or () if c["type"] != "PodScheduled"]
        try:
            self._api.set_status(
                "pods",
                meta["namespace"],
                meta["name"],
                {**status, "conditions": [*others, condition]},
                NAME,
            )
        except (APIError, CallTimeout):
            return

    def _back_off(self, uid: str) -> None:
        attempts = self._attempts[uid] = self._attempts.get(uid, 0) + 1
        delay = min(BACKOFF_LIMIT, BACKOFF_BASE * 2.0 ** min(attempts - 1, 10))
        self._not_before[uid] = self._clock.now + delay
