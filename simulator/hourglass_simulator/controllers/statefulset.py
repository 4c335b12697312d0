"""StatefulSets: pods with names of their own, created, replaced and removed in order.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/statefulset/stateful_set.go
"""

from hourglass_kube.selector import compile_selector, matches_all
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.enqueue import enqueue_object, enqueue_owner
from hourglass_simulator.controllers.informer import Informers, key_of
from hourglass_simulator.controllers.podcontrol import PodControl
from hourglass_simulator.controllers.statefulset_calls import USER, StatefulSetCalls
from hourglass_simulator.controllers.statefulset_pods import is_member
from hourglass_simulator.controllers.statefulset_sync import StatefulSetSync
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.recorder import EventRecorder


class StatefulSetController:
    """Pods, claims and revisions are found by their owner and by name."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._clock = clock
        self._api = api
        self._recorder = EventRecorder(clock, api, "statefulset-controller")
        self._control = PodControl(api, self._recorder, USER)
        self._queue = WorkQueue(clock, self._sync)
        self._sets = informers.of("statefulsets")
        self._pods = informers.of("pods")
        self._calls = StatefulSetCalls(clock, api, self._recorder, self._queue, informers)
        self._revisions = informers.of("controllerrevisions")
        self._sets.on_change(enqueue_object(self._queue))
        self._pods.on_owned("StatefulSet", enqueue_owner(self._queue))
        self._pods.on_orphan(self._orphan_changed)

    def _orphan_changed(self, _: JSON | None, pod: JSON | None) -> None:
        if pod is None:
            return
        labels = pod["metadata"].get("labels") or {}
        for each in self._sets.namespaced(pod["metadata"]["namespace"]):
            if is_member(each, pod) and matches_all(
                compile_selector(each["spec"]["selector"]), labels
            ):
                self._queue.add(key_of(each))

    def _sync(self, key: Key) -> None:
        obj = self._sets.get(*key)
        if obj is None:
            return
        selector = compile_selector(obj["spec"]["selector"])
        pods = self._control.claim(
            "pods",
            obj,
            selector,
            self._pods.owned(obj["metadata"]["uid"]),
            [pod for pod in self._pods.orphans(key[0]) if is_member(obj, pod)],
        )
        pods = [pod for pod in pods if is_member(obj, pod)]
        revisions = self._control.claim(
            "controllerrevisions",
            obj,
            selector,
            self._revisions.owned(obj["metadata"]["uid"]),
            self._revisions.orphans(key[0]),
        )
        StatefulSetSync(self._calls, obj, pods, revisions).run()
