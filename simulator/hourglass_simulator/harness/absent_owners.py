"""Pods whose controllers a copy does not have: what they would do is done for them."""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, WatchEvent
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.controllers.workqueue import Key

LATENCY_SECONDS = 0.1
"""From the end of a pod to its successor."""
RETRY_SECONDS = 5.0
_STABLE_NAME = "statefulset.kubernetes.io/pod-name"
_OF_ADMISSION = (
    "ephemeralContainers",
    "nodeName",
    "overhead",
    "preemptionPolicy",
    "priority",
    "serviceAccount",
)
"""What a controller's template does not say."""


class AbsentOwners:
    """Makes each of the pods anew as it was, whenever it is gone."""

    def __init__(self, cluster: Cluster) -> None:
        self.refused: dict[Key, str] = {}
        """Why a pod could not be made anew, by namespace and name of the one before."""
        self._clock = cluster.clock
        self._api = cluster.api
        self._pods: set[str] = set()
        cluster.api.watch("pods", sink=self._event)

    def keep(self, pod: JSON) -> None:
        """There is to be such a pod."""
        self._pods.add(pod["metadata"]["uid"])

    def _event(self, event: WatchEvent) -> None:
        uid = event.object["metadata"]["uid"]
        if event.type == "DELETED" and uid in self._pods:
            self._pods.discard(uid)
            self._clock.after(LATENCY_SECONDS, lambda: self._make(event.object))

    def _make(self, pod: JSON) -> None:
        meta = pod["metadata"]
        key = (meta["namespace"], meta["name"])
        self.refused.pop(key, None)
        try:
            self.keep(self._api.create("pods", successor(pod), namespace=key[0]))
        except APIError as error:
            self.refused[key] = error.message
            self._clock.after(RETRY_SECONDS, lambda: self._make(pod))


def successor(pod: JSON) -> JSON:
    """The pod as its controller would make it again, of the same name where that is stable."""
    meta = pod["metadata"]
    kept = ("annotations", "labels", "ownerReferences")
    new = {field: meta[field] for field in kept if field in meta}
    stable = _STABLE_NAME in (meta.get("labels") or {})
    if meta.get("generateName") and not stable:
        new["generateName"] = meta["generateName"]
    else:
        new["name"] = meta["name"]
    spec = {field: value for field, value in pod["spec"].items() if field not in _OF_ADMISSION}
    return {"metadata": new, "spec": spec}
