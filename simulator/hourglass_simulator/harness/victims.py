"""Which pods are evicted by the scheduler to make room, and for which Performer."""

import re

from hourglass_operator.resources.names import NAME_LABEL
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.scenario.history import Key

_PREEMPTED = re.compile(r"Preempted by pod (\S+) on node ")
"""https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/scheduler/framework/preemption/executor.go"""


class Victims:
    """Notes them from now on."""

    def __init__(self, cluster: Cluster) -> None:
        self._performers: dict[str, Key] = {}
        """By the uids of their pods."""
        self._victims: list[tuple[str, str]] = []
        """The uid of the pod that needs the room, and `namespace/name` of the one that goes."""
        cluster.api.watch("pods", sink=self._pod)
        cluster.api.watch("events", sink=self._event)

    def of(self, namespace: str, name: str) -> tuple[str, ...]:
        """`namespace/name` of the pods that made room for a Performer, sorted."""
        found = {
            victim
            for pod, victim in self._victims
            if self._performers.get(pod) == (namespace, name)
        }
        return tuple(sorted(found))

    def _pod(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        performer = (meta.get("labels") or {}).get(NAME_LABEL)
        if performer:
            self._performers[meta["uid"]] = (meta["namespace"], performer)

    def _event(self, event: WatchEvent) -> None:
        obj = event.object
        by = _PREEMPTED.match(obj.get("message") or obj.get("note") or "")
        if by and event.type == "ADDED":
            about = obj["involvedObject"]
            self._victims.append((by[1], f"{about['namespace']}/{about['name']}"))
