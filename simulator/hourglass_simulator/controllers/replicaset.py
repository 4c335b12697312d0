"""ReplicaSets and ReplicationControllers: as many pods as are asked for.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/replicaset/replica_set.go
"""

from typing import NamedTuple

from hourglass_kube.expression import IN, Requirement, Selector
from hourglass_kube.selector import compile_selector, matches_all
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.enqueue import enqueue_owner, enqueue_selecting
from hourglass_simulator.controllers.informer import Informer, Informers, controller_of, key_of
from hourglass_simulator.controllers.podcontrol import (
    PodControl,
    in_words,
    namespace_is_terminating,
    pod_of_template,
)
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.recorder import EventRecorder

BURST = 500
"""Pods that one sync creates or deletes."""
TERMINATING_REPLICAS = "DeploymentReplicaSetTerminatingReplicas"
"""The feature gate of `status.terminatingReplicas`."""

_Error = APIError | CallTimeoutError


class _Kind(NamedTuple):
    resource: str
    kind: str
    component: str
    user: str


REPLICA_SET = _Kind(
    "replicasets",
    "ReplicaSet",
    "replicaset-controller",
    "system:serviceaccount:kube-system:replicaset-controller",
)
REPLICATION_CONTROLLER = _Kind(
    "replicationcontrollers",
    "ReplicationController",
    "replication-controller",
    "system:serviceaccount:kube-system:replication-controller",
)


class ReplicaSetController:
    """Pods are found by owner; those without one by their namespace."""

    def __init__(
        self, clock: Clock, api: APIServer, informers: Informers, kind: _Kind = REPLICA_SET
    ) -> None:
        self._clock = clock
        self._api = api
        self._kind = kind
        self._counts_terminating = kind is REPLICA_SET and api.version.enabled(TERMINATING_REPLICAS)
        recorder = EventRecorder(clock, api, kind.component)
        self._control = PodControl(api, recorder, kind.user)
        self._queue = WorkQueue(clock, self._sync)
        self._sets: Informer = informers.of(kind.resource)
        self._pods: Informer = informers.of("pods")
        self._sets.on_change(self._set_changed)
        self._pods.on_owned(kind.kind, enqueue_owner(self._queue))
        self._enqueue_selecting = enqueue_selecting(self._queue, self._sets, self._selector)
        self._pods.on_orphan(self._orphan_changed)

    def _set_changed(self, before: JSON | None, after: JSON | None) -> None:
        obj = after or before
        assert obj is not None
        if before is None or after is None or _asked(before) != _asked(after):
            self._queue.add(key_of(obj))

    def _orphan_changed(self, _: JSON | None, pod: JSON | None) -> None:
        if pod is not None and not podstatus.terminating(pod):
            self._enqueue_selecting(None, pod)

    def _selector(self, obj: JSON) -> Selector:
        selector = obj["spec"].get("selector") or {}
        if self._kind is REPLICATION_CONTROLLER:
            return tuple(Requirement(k, IN, (v,)) for k, v in selector.items())
        return compile_selector(selector)

    def _sync(self, key: Key) -> None:
        obj = self._sets.get(*key)
        if obj is None:
            return
        owned, selector = self._pods.owned(obj["metadata"]["uid"]), self._selector(obj)
        pods = self._control.claim(
            "pods",
            obj,
            selector,
            [p for p in owned if podstatus.active(p)],
            [p for p in self._pods.orphans(key[0]) if podstatus.active(p)],
        )
        failure: _Error | None = None
        if "deletionTimestamp" not in obj["metadata"]:
            failure = self._replicate(obj, pods)
        now = self._clock.unix_time
        new = status(obj, pods, failure, now, self._clock.timestamp())
        if self._counts_terminating:
            new["terminatingReplicas"] = sum(
                podstatus.terminating(pod)
                and not podstatus.ended(pod)
                and matches_all(selector, pod["metadata"].get("labels") or {})
                for pod in owned
            )
        if new != obj.get("status"):
            self._api.set_status(self._kind.resource, *key, new, user=self._kind.user)
        if failure is not None:
            raise failure
        seconds = obj["spec"].get("minReadySeconds", 0)
        waits = [podstatus.available_in(pod, seconds, now) for pod in pods]
        pending = [wait for wait in waits if wait]
        if pending:
            self._queue.add_after(key, min(pending))

    def _replicate(self, obj: JSON, pods: list[JSON]) -> _Error | None:
        """Create or delete pods; the first error ends it."""
        missing = obj["spec"].get("replicas", 1) - len(pods)
        if missing > 0:
            pod = pod_of_template(obj["spec"]["template"], obj)
            return self._create(obj, pod, min(missing, BURST))
        if missing < 0:
            failure: _Error | None = None
            for pod in self._superfluous(obj, pods)[: min(-missing, BURST)]:
                try:
                    self._control.delete(obj, pod)
                except (APIError, CallTimeoutError) as error:
                    failure = failure or error
            return failure
        return None

    def _create(self, obj: JSON, pod: JSON, count: int) -> _Error | None:
        """In batches that double, so that a refusal is met early."""
        batch = 1
        while count > 0:
            batch = min(batch, count)
            failure: _Error | None = None
            for _ in range(batch):
                try:
                    self._control.create(obj, pod)
                except (APIError, CallTimeoutError) as error:
                    if not namespace_is_terminating(error):
                        failure = failure or error
            if failure is not None:
                return failure
            count -= batch
            batch *= 2
        return None

    def _superfluous(self, obj: JSON, pods: list[JSON]) -> list[JSON]:
        owner = controller_of(obj)
        siblings = self._sets.owned(owner["uid"]) if owner is not None else [obj]
        related = [pod for each in siblings for pod in self._pods.owned(each["metadata"]["uid"])]
        return podstatus.first_to_delete(pods, related, self._clock.unix_time)


def _asked(obj: JSON) -> tuple[object, ...]:
    meta = obj["metadata"]
    return obj["spec"], "deletionTimestamp" in meta, meta.get("generation"), meta["uid"]


def status(
    obj: JSON,
    pods: list[JSON],
    failure: _Error | None,
    now: float,
    timestamp: str,
) -> JSON:
    """The status by the pods that count; a failure is a condition until it is over.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/replicaset/replica_set_utils.go
    """
    spec, old = obj["spec"], obj.get("status") or {}
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    labelled = [p for p in pods if _has(p["metadata"].get("labels") or {}, labels)]
    seconds = spec.get("minReadySeconds", 0)
    ready = [pod for pod in pods if podstatus.ready(pod)]
    available = [pod for pod in ready if podstatus.available(pod, seconds, now)]
    counts = {
        "fullyLabeledReplicas": len(labelled),
        "readyReplicas": len(ready),
        "availableReplicas": len(available),
    }
    new: JSON = {"replicas": len(pods), **{field: n for field, n in counts.items() if n}}
    conditions = list(old.get("conditions") or ())
    if failure is None:
        conditions = [c for c in conditions if c["type"] != "ReplicaFailure"]
    elif not any(c["type"] == "ReplicaFailure" for c in conditions):
        few = len(pods) < spec.get("replicas", 1)
        conditions.append(
            {
                "type": "ReplicaFailure",
                "status": "True",
                "lastTransitionTime": timestamp,
                "reason": "FailedCreate" if few else "FailedDelete",
                "message": in_words(failure),
            }
        )
    if conditions:
        new["conditions"] = conditions
    new["observedGeneration"] = obj["metadata"].get("generation", 0)
    return new


def _has(labels: JSON, wanted: JSON) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())
