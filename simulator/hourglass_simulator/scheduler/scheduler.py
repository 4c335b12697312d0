"""kube-scheduler's loop: watches in, bindings, conditions and Events out.

https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from random import Random

from hourglass_kube.node import view
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.scheduler.binding import PreBind
from hourglass_simulator.scheduler.decision import ERROR, Decision, schedule
from hourglass_simulator.scheduler.devices import claim_fault
from hourglass_simulator.scheduler.events import Events
from hourglass_simulator.scheduler.listers import resources_of
from hourglass_simulator.scheduler.node import images_of
from hourglass_simulator.scheduler.placement import Placements
from hourglass_simulator.scheduler.pod import PodInfo, pod_info, resizes, restated
from hourglass_simulator.scheduler.queue import FLUSH, Pending, Queue
from hourglass_simulator.scheduler.requeue import CHANGES_HELP, Rejected
from hourglass_simulator.scheduler.snapshot import Snapshot

NAME = "default-scheduler"
LATENCY = 0.01
"""Seconds from a pod's appearance to its scheduling cycle."""
_ENDED = ("Succeeded", "Failed")


class Scheduler:
    """Schedules every pod that names it; where kube-scheduler leaves it to chance, by the seed."""

    def __init__(self, clock: Clock, api: APIServer, seed: int = 0) -> None:
        self._clock = clock
        self._api = api
        self._random = Random(f"scheduler/{seed}")
        self._events = Events(clock, api, NAME)
        self._snapshot = Snapshot(api.version)
        self._placements = Placements(self._snapshot)
        self._pre_bind = PreBind(clock, api, self._snapshot, self._events, NAME)
        self._queue = Queue(self._snapshot.resource_classes)
        self._cycling = False
        self._gated: dict[str, None] = {}
        """Pods whose ResourceClaims are not there."""
        self._flushes: deque[tuple[float, str, int]] = deque()
        api.watch("namespaces", sink=self._namespace)
        for resource in resources_of(api.version):
            api.watch(resource, sink=partial(self._object, resource))
        api.watch("nodes", sink=self._node)
        api.watch("pods", sink=self._pod)

    # Watches: they only take note, decisions come later on the clock.

    def _namespace(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        self._snapshot.set_namespace(meta["name"], meta.get("labels") or {})

    def _object(self, resource: str, event: WatchEvent) -> None:
        before = self._snapshot.apply(resource, event)
        if resource in CHANGES_HELP:
            after = None if event.type == "DELETED" else event.object
            self._retry(lambda group: group.helped_by_object(resource, before, after))
        if resource == "resourceclaims" and self._gated:
            for uid in list(self._gated):
                self._enqueue(uid)

    def _node(self, event: WatchEvent) -> None:
        snapshot, name = self._snapshot, event.object["metadata"]["name"]
        if event.type == "DELETED":
            before = snapshot.remove_node(name)
            self._retry(lambda group: group.helped_by_node(before, None))
            return
        now, images = view(event.object), images_of(event.object)
        known = snapshot.nodes.get(name)
        if known is None or known.view != now or known.images != images:
            before = snapshot.set_node(now, images)
            after = snapshot.nodes[name]
            self._retry(lambda group: group.helped_by_node(before, after))

    def _pod(self, event: WatchEvent) -> None:
        pod = event.object
        meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
        uid, node = meta["uid"], spec.get("nodeName")
        if event.type == "DELETED" or status.get("phase") in _ENDED:
            self._pre_bind.cancel(uid)
            self._forget(uid)
            self._left(uid)
        elif node:
            self._on_node(uid, pod, node)
        elif spec.get("schedulerName") != NAME or "deletionTimestamp" in meta:
            self._forget(uid)
        else:
            self._waits(uid, pod)

    def _on_node(self, uid: str, pod: JSON, node: str) -> None:
        waiting = self._queue.pending.get(uid)
        if waiting is not None:
            self._pre_bind.cancel(uid)
            self._forget(uid)
            self._arrived(waiting.info, node)
        elif self._snapshot.node_of.get(uid) != node:
            self._arrived(pod_info(pod), node)
        else:
            known = self._snapshot.find(uid)
            if _differs(known, pod):
                spec = pod["spec"]
                info = restated(known, pod) if spec is known.spec else pod_info(pod)
                self._snapshot.update(info)
                if info.labels != known.labels:
                    self._announce(info)
                if info.requests != known.requests:
                    spaces = self._snapshot.namespaces
                    self._retry(lambda group: group.helped_by_leaving(known, spaces))

    def _arrived(self, info: PodInfo, node: str) -> None:
        self._snapshot.place(info, node)
        self._announce(info)

    def _announce(self, info: PodInfo) -> None:
        spaces = self._snapshot.namespaces
        self._retry(lambda group: group.helped_by_arrival(info, spaces))

    def _left(self, uid: str) -> None:
        gone = self._snapshot.remove(uid)
        if gone is not None:
            spaces = self._snapshot.namespaces
            mutual = self._api.version.requeues_for_mutual_anti_affinity
            self._retry(lambda group: group.helped_by_leaving(gone, spaces, mutual=mutual))

    def _waits(self, uid: str, pod: JSON) -> None:
        waiting = self._queue.pending.get(uid)
        if waiting is None:
            waiting = Pending(pod, pod_info(pod), self._clock.now)
            self._queue.pending[uid] = waiting
            changed = True
        else:
            before, waiting.pod = waiting.pod, pod
            changed = before["spec"] is not pod["spec"] and before["spec"] != pod["spec"]
            relabelled = before["metadata"].get("labels") != pod["metadata"].get("labels")
            status, old = pod.get("status") or {}, before.get("status") or {}
            nominated = status.get("nominatedNodeName") or ""
            claims = status.get("resourceClaimStatuses") != old.get("resourceClaimStatuses")
            if changed or relabelled or claims or nominated != waiting.info.nominated:
                waiting.info = pod_info(pod)
            changed = changed or relabelled or claims
        if waiting.info.nominated and uid not in self._pre_bind:
            self._snapshot.nominate(waiting.info, waiting.info.nominated)
        if changed:
            self._enqueue(uid)

    def _forget(self, uid: str) -> None:
        waiting = self._queue.pending.get(uid)
        if waiting is not None:
            self._queue.forget(uid)
            self._gated.pop(uid, None)
            self._snapshot.nominate(waiting.info, "")

    # The queue

    def _retry(self, helps: Callable[[Rejected], bool]) -> None:
        for uid in self._queue.helped(helps):
            self._enqueue(uid)

    def _enqueue(self, uid: str) -> None:
        waiting = self._queue.pending.get(uid)
        if waiting is None or uid in self._pre_bind or not self._may_enqueue(uid, waiting):
            return
        if self._queue.put(uid) and not self._cycling:
            self._cycling = True
            self._clock.after(LATENCY, self._cycle)

    def _may_enqueue(self, uid: str, waiting: Pending) -> bool:
        """PreEnqueue: a pod that lacks something of its own is not even tried."""
        if waiting.pod["spec"].get("schedulingGates"):
            return False
        if waiting.info.resource_claims and claim_fault(waiting.info, self._snapshot):
            self._gated[uid] = None
            return False
        self._gated.pop(uid, None)
        return True

    def _cycle(self) -> None:
        """Schedule every queued pod."""
        while (waiting := self._queue.pop()) is not None:
            decision = schedule(
                waiting.info,
                self._snapshot,
                self._placements,
                self._random,
                self._api.version.texts,
            )
            if decision.node is not None:
                self._assume(waiting, decision)
            else:
                self._fail(waiting, decision)
        self._cycling = False

    def _again(self, waiting: Pending) -> None:
        """A call failed, which no change of the cluster will mend: try again after a while."""
        delay = self._queue.err(waiting, self._clock.now)
        self._clock.after(delay, partial(self._enqueue, waiting.info.uid))

    def _flush_later(self, waiting: Pending) -> None:
        self._flushes.append((self._clock.now + FLUSH, waiting.info.uid, waiting.failures))
        if len(self._flushes) == 1:
            self._clock.after(FLUSH, self._flush)

    def _flush(self) -> None:
        while self._flushes and self._flushes[0][0] <= self._clock.now:
            _, uid, failures = self._flushes.popleft()
            waiting = self._queue.pending.get(uid)
            if waiting is not None and waiting.failures == failures:
                self._enqueue(uid)
        if self._flushes:
            self._clock.at(self._flushes[0][0], self._flush)

    # What comes of a decision

    def _assume(self, waiting: Pending, decision: Decision) -> None:
        if not decision.bindings and not decision.allocation:
            self._bind(waiting, decision.node or "")
            return
        self._snapshot.place(waiting.info, decision.node or "")
        self._pre_bind.begin(
            waiting.pod, waiting.info, decision, partial(self._bound, waiting, decision)
        )

    def _bound(self, waiting: Pending, decision: Decision, fault: str) -> None:
        if fault:
            self._pre_bind.undo(waiting.info)
            self._left(waiting.info.uid)
            self._fail(waiting, Decision(message=fault, reason=ERROR, nominated=""))
        else:
            self._bind(waiting, decision.node or "")

    def _bind(self, waiting: Pending, node: str) -> None:
        pod = waiting.pod
        meta = pod["metadata"]
        try:
            self._api.bind(meta["namespace"], meta["name"], node, user=NAME)
        except (APIError, CallTimeoutError):
            self._pre_bind.undo(waiting.info)
            self._left(waiting.info.uid)
            self._again(waiting)
            return
        self._pre_bind.cancel(waiting.info.uid)
        self._events.scheduled(pod, node)

    def _fail(self, waiting: Pending, decision: Decision) -> None:
        if decision.rejected_by:
            self._queue.reject(waiting, decision.rejected_by, self._clock.now)
            self._flush_later(waiting)
        else:
            self._again(waiting)
        if decision.nominated is not None:
            self._snapshot.nominate(waiting.info, decision.nominated)
        pod = waiting.pod
        self._events.failed(pod, decision.message)
        self._update_condition(pod, decision)
        with suppress(APIError, CallTimeoutError):
            if decision.deallocate:
                self._pre_bind.devices.deallocate(waiting.info.namespace, decision.deallocate)
            elif decision.delete:
                self._pre_bind.devices.delete(waiting.info.namespace, decision.delete)
        victims = decision.victims
        if self._api.version.spares_terminating_victims:
            victims = tuple(victim for victim in victims if not victim.terminating)
        if victims:
            self._make_room(waiting, victims, decision.nominated or "")

    def _update_condition(self, pod: JSON, decision: Decision) -> None:
        """Write the PodScheduled condition into the pod's status, unless it is there."""
        meta, status = pod["metadata"], pod.get("status") or {}
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": decision.reason,
            "message": decision.message,
        }
        changed = self._with_condition(pod, condition)
        nominated = status.get("nominatedNodeName") or ""
        if decision.nominated is not None and decision.nominated != nominated:
            changed = {**changed, "nominatedNodeName": decision.nominated}
            if not decision.nominated:
                del changed["nominatedNodeName"]
        if changed is not status:
            with suppress(APIError, CallTimeoutError):
                self._api.set_status("pods", meta["namespace"], meta["name"], changed, NAME)

    def _make_room(self, waiting: Pending, victims: Sequence[PodInfo], node: str) -> None:
        """Evict the victims; less important pods are not expected on the node any more."""
        for victim in victims:
            self._evict(waiting, victim, node)
        for other in self._snapshot.less_important_on(waiting.info, node):
            self._snapshot.nominate(other, "")
            pod = self._queue.pending[other.uid].pod
            status = {k: v for k, v in pod["status"].items() if k != "nominatedNodeName"}
            with suppress(APIError, CallTimeoutError):
                self._api.set_status("pods", other.namespace, other.name, status, NAME)
            self._enqueue(other.uid)

    def _evict(self, waiting: Pending, victim: PodInfo, node: str) -> None:
        message = f"{NAME}: preempting to accommodate a higher priority pod"
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": message,
        }
        namespace, name = victim.namespace, victim.name
        try:
            found = self._api.get("pods", namespace, name, user=NAME)
            changed = self._with_condition(found, condition)
            self._api.set_status("pods", namespace, name, changed, NAME)
            self._api.delete("pods", namespace, name, user=NAME)
        except (APIError, CallTimeoutError) as error:
            if not isinstance(error, APIError) or error.code != 404:
                self._again(waiting)
            return
        related = waiting.pod if self._api.version.relates_preempted_to_preemptor else None
        self._events.preempted(found, waiting.pod["metadata"]["uid"], node, related)

    def _with_condition(self, pod: JSON, condition: JSON) -> JSON:
        """The status with a condition; the same object if it says so already."""
        status: JSON = pod.get("status") or {}
        conditions = status.get("conditions") or []
        place = next(
            (i for i, c in enumerate(conditions) if c["type"] == condition["type"]), len(conditions)
        )
        before = conditions[place] if place < len(conditions) else {}
        if all(before.get(key) == value for key, value in condition.items()):
            return status
        since = (
            before["lastTransitionTime"]
            if before.get("status") == condition["status"]
            else self._clock.timestamp()
        )
        new = {
            **condition,
            "observedGeneration": pod["metadata"].get("generation", 1),
            "lastProbeTime": None,
            "lastTransitionTime": since,
        }
        return {**status, "conditions": [*conditions[:place], new, *conditions[place + 1 :]]}


def _differs(known: PodInfo, pod: JSON) -> bool:
    """Whether a pod on its node changed in what scheduling reads."""
    meta = pod["metadata"]
    return (
        known.terminating != ("deletionTimestamp" in meta)
        or known.labels != (meta.get("labels") or {})
        or known.resized != resizes(pod)
        or (known.started == inf and bool((pod.get("status") or {}).get("startTime")))
    )
