"""What becomes of the pods of nodes that are drained or gone, and of those that make room."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.controllers.drain import cordon, drain, stays
from hourglass_simulator.controllers.informer import controller_of
from hourglass_simulator.controllers.workqueue import Key
from hourglass_simulator.harness.snapshot import Copy

QUIET_SECONDS = 120.0
"""Pods have found their places when none has come, gone or been bound for so long."""
PATIENCE_SECONDS = 1800.0
"""Some never do: a CronJob makes pods for ever."""
_STEP_SECONDS = 10.0
_ENDED = ("Succeeded", "Failed")

Outcome = Literal["stays", "moves", "pending", "blocked", "ends", "gone"]
"""`stays`: where it is; `moves`: its successor has a node; `pending`: its successor has none;
`blocked`: it may not be evicted; `ends`: it does not end; `gone`: it has no successor."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """What became of one pod; `cause` is drained, node gone or preempted.

    `owner` is what it belongs to in the end, as Deployment/web; `successor` the pod in its place,
    `to` the node of that; `message` says why it is not elsewhere by now.
    """

    namespace: str
    name: str
    owner: str
    node: str
    cause: str
    outcome: Outcome
    successor: str
    to: str
    message: str

    @property
    def runs(self) -> bool:
        """Whether nothing is lacking: it, or another in its place, has a node."""
        return self.outcome in ("stays", "moves")


def settle(cluster: Cluster) -> None:
    """Wait until the pods of a copy run, so that budgets count them."""
    _Movements(cluster).wait()


def displace(copy: Copy, *, without: Collection[str], drained: Collection[str]) -> list[Displaced]:
    """Take nodes away, drain others, and wait until pods have found their places.

    Pods are sorted by namespace and name; those that have ended are left out.
    """
    cluster, api = copy.cluster, copy.cluster.api
    before = [pod for pod in api.list("pods").items if pod["status"].get("phase") not in _ENDED]
    owners = _Owners()
    owners.see(cluster)
    movements = _Movements(cluster)
    for node in without:
        cluster.remove_node(node)
    for node in drained:
        cordon(api, node)
    refusals = [drain(cluster.clock, api, node) for node in drained]
    movements.wait()
    owners.see(cluster)
    refused = {key: why for each in refusals for key, why in each.items()}
    affected = []
    for pod in before:
        node, uid = pod["spec"].get("nodeName"), pod["metadata"]["uid"]
        if node in without:
            affected.append((pod, "node gone"))
        elif node in drained:
            affected.append((pod, "drained"))
        elif uid in movements.preempted:
            affected.append((pod, "preempted"))
    known = {pod["metadata"]["uid"] for pod in before}
    after = api.list("pods").items
    successors = _Successors(owners, [p for p in after if p["metadata"]["uid"] not in known])
    there = {pod["metadata"]["uid"]: pod for pod in after}
    return [
        _described(copy, owners, pod, cause, there.get(pod["metadata"]["uid"]), successors, refused)
        for pod, cause in successors.in_order(affected)
    ]


class _Movements:
    """Notes when a pod has come, gone or been bound last, and which were preempted."""

    def __init__(self, cluster: Cluster) -> None:
        self.preempted: set[str] = set()
        self._cluster = cluster
        self._last = cluster.clock.now
        self._nodes: dict[str, str | None] = {}
        cluster.api.watch("pods", sink=self._event)

    def wait(self) -> None:
        """Let time pass until nothing moves any more."""
        clock = self._cluster.clock
        self._last = clock.now
        end = clock.now + PATIENCE_SECONDS
        while clock.now < end and clock.now - self._last < QUIET_SECONDS:
            clock.run_until(clock.now + _STEP_SECONDS)

    def _event(self, event: WatchEvent) -> None:
        pod = event.object
        uid, node = pod["metadata"]["uid"], pod["spec"].get("nodeName")
        if event.type == "DELETED" or self._nodes.get(uid, "") != node:
            self._last = self._cluster.clock.now
        self._nodes[uid] = node
        for condition in (pod.get("status") or {}).get("conditions") or ():
            if condition.get("reason") == "PreemptionByScheduler":
                self.preempted.add(uid)


class _Owners:
    """Who owns ReplicaSets and Jobs, also those that are gone by now."""

    def __init__(self) -> None:
        self._objects: dict[str, JSON] = {}

    def see(self, cluster: Cluster) -> None:
        for resource in ("replicasets", "jobs"):
            for obj in cluster.api.list(resource).items:
                self._objects[obj["metadata"]["uid"]] = obj

    def of(self, pod: JSON) -> JSON | None:
        """The reference to what a pod belongs to in the end."""
        found = controller_of(pod)
        while found is not None and found["uid"] in self._objects:
            above = controller_of(self._objects[found["uid"]])
            if above is None:
                break
            found = above
        return found


class _Successors:
    """New pods, given out to those that are gone: of the same owner, by name where it is stable."""

    def __init__(self, owners: _Owners, pods: Iterable[JSON]) -> None:
        self._owners = owners
        self._named: dict[Key, JSON] = {}
        self._by_owner: dict[str, list[JSON]] = {}
        for pod in sorted(pods, key=_key):
            self._named[_key(pod)] = pod
            if (owner := owners.of(pod)) is not None:
                self._by_owner.setdefault(owner["uid"], []).append(pod)

    def in_order(self, affected: Iterable[tuple[JSON, str]]) -> list[tuple[JSON, str]]:
        """Sorted by key."""
        return sorted(affected, key=lambda each: _key(each[0]))

    def take(self, pod: JSON) -> JSON | None:
        """The successor of a pod."""
        owner = self._owners.of(pod)
        candidates = self._by_owner.get(owner["uid"], []) if owner is not None else []
        if not candidates:
            return None
        same = self._named.get(_key(pod))
        found = same if same in candidates else candidates[0]
        assert found is not None
        candidates.remove(found)
        return found


def _described(
    copy: Copy,
    owners: _Owners,
    pod: JSON,
    cause: str,
    there: JSON | None,
    successors: _Successors,
    refused: dict[Key, str],
) -> Displaced:
    owner = owners.of(pod)
    successor: JSON | None = None
    outcome: Outcome
    if there is not None and stays(pod):
        outcome, message = "stays", ""
    elif there is not None and "deletionTimestamp" in there["metadata"]:
        outcome, message = "ends", "it is being deleted and does not end"
    elif there is not None:
        outcome, message = "blocked", refused.get(_key(pod), "")
    elif (successor := successors.take(pod)) is None:
        outcome, message = "gone", _why_gone(copy, pod)
    elif successor["spec"].get("nodeName"):
        outcome, message = "moves", ""
    else:
        outcome, message = "pending", _why_pending(successor)
    return Displaced(
        namespace=pod["metadata"]["namespace"],
        name=pod["metadata"]["name"],
        owner=f"{owner['kind']}/{owner['name']}" if owner is not None else "",
        node=pod["spec"]["nodeName"],
        cause=cause,
        outcome=outcome,
        successor=successor["metadata"]["name"] if successor is not None else "",
        to=successor["spec"].get("nodeName", "") if successor is not None else "",
        message=message,
    )


def _why_gone(copy: Copy, pod: JSON) -> str:
    controller = controller_of(pod)
    if controller is None:
        return "it has no controller that would make it anew"
    if (why := copy.absent_owners.refused.get(_key(pod))) is not None:
        return why
    events = copy.cluster.api.list("events", pod["metadata"]["namespace"]).items
    failures = [
        event
        for event in events
        if event["reason"] == "FailedCreate"
        and event["involvedObject"].get("uid") == controller["uid"]
    ]
    if failures:
        return str(max(failures, key=lambda event: event["lastTimestamp"] or "")["message"])
    return f"its {controller['kind']} makes no pod in its place"


def _why_pending(pod: JSON) -> str:
    for condition in pod["status"].get("conditions") or ():
        if condition["type"] == "PodScheduled":
            return str(condition.get("message", ""))
    return ""


def _key(pod: JSON) -> Key:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
