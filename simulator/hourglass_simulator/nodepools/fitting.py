"""Whether pods would fit nodes that are not there: the scheduler, on a copy of what it knows."""

from collections.abc import Iterable
from random import Random

from hourglass_kube.node import view
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.scheduler.decision import schedule
from hourglass_simulator.scheduler.listers import resources_of
from hourglass_simulator.scheduler.placement import Placements
from hourglass_simulator.scheduler.pod import pod_info
from hourglass_simulator.scheduler.snapshot import Snapshot

_ENDED = ("Succeeded", "Failed")


class Fitting:
    """The cluster as it is now, to add nodes and pods to."""

    def __init__(self, api: APIServer, *, without: Iterable[str] = ()) -> None:
        """Nodes in `without` are not there, nor are the pods on them."""
        self._api = api
        self._snapshot = _with_objects(api)
        left_out = set(without)
        for node in api.list("nodes").items:
            if node["metadata"]["name"] not in left_out:
                self._snapshot.set_node(view(node))
        for pod in api.list("pods").items:
            name = pod["spec"].get("nodeName")
            if name and name not in left_out and pod["status"].get("phase") not in _ENDED:
                self._snapshot.place(pod_info(pod), name)
        self._placements = Placements(self._snapshot)

    def add(self, node: JSON) -> None:
        """Another node, or one as it will be."""
        self._snapshot.set_node(view(node))

    def remove(self, name: str) -> None:
        """Take a node away again."""
        self._snapshot.remove_node(name)

    def place(self, pod: JSON) -> str | None:
        """Put a pod where the scheduler would, wherever it is now; None if it fits nowhere."""
        spec = {name: value for name, value in pod["spec"].items() if name != "nodeName"}
        info = pod_info({**pod, "spec": spec})
        self._snapshot.remove(info.uid)
        texts = self._api.version.texts
        decision = schedule(info, self._snapshot, self._placements, Random(0), texts)
        if decision.node is not None:
            self._snapshot.place(info, decision.node)
        return decision.node


def reasons(api: APIServer, pod: JSON, node: JSON) -> list[str]:
    """Why a pod does not fit a node if there were no other, in the scheduler's words."""
    snapshot = _with_objects(api)
    snapshot.set_node(view(node))
    decision = schedule(pod_info(pod), snapshot, Placements(snapshot), Random(0), api.version.texts)
    said = decision.message.partition(": ")[2].partition(". ")[0].rstrip(".")
    return [reason.partition(" ")[2] for reason in said.split(", ") if reason]


def _with_objects(api: APIServer) -> Snapshot:
    snapshot = Snapshot(api.version)
    for namespace in api.list("namespaces").items:
        meta = namespace["metadata"]
        snapshot.set_namespace(meta["name"], meta.get("labels") or {})
    for resource in resources_of(api.version):
        for obj in api.list(resource).items:
            snapshot.apply(resource, WatchEvent("ADDED", obj))
    return snapshot
