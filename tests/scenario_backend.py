"""A backend for tests of scenarios: a cluster that does just what the test says.

Every Performer that is applied comes up in three seconds with six writes, a new image is rolled
out in three more, a deletion takes two. `later` adds whatever else a test wants to happen.
"""

from collections.abc import Callable, Collection
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.clock import Clock
from hourglass_simulator.scenario.backend import Change, Observer, RefusedError, Write
from hourglass_simulator.scenario.cluster import Cluster
from hourglass_simulator.scenario.step import Delete, Patch

HEALTHY = ("True/PodReady", "False/ServiceReady", "False/AsExpected")
STARTING = ("False/PodPending", "True/PodPending", "False/NotAvailable")
UPGRADING = ("True/PodReady", "True/UpgradeInProgress", "False/AsExpected")
ENDING = ("False/Terminating", "True/Terminating", "False/NotAvailable")


def conditions(statuses: tuple[str, str, str], message: str) -> list[JSON]:
    """Available, Progressing, Degraded and the summary Ready from `True/PodReady` texts."""
    types = ("Available", "Progressing", "Degraded", "Ready")
    return [
        {
            "type": type_,
            "status": text.split("/")[0],
            "reason": text.split("/")[1],
            "message": message,
        }
        for type_, text in zip(types, (*statuses, statuses[0]), strict=True)
    ]


class ScriptedBackend:
    """Implements `Backend`; `calls` lists what the scenario asked for."""

    def __init__(self, seed: int = 0, wanted: Cluster | None = None) -> None:
        self.seed = seed
        self.wanted = wanted
        self.clock = Clock()
        self.calls: list[str] = []
        self.objects: dict[tuple[str, str, str], JSON] = {}
        self.namespace = ""
        self.cluster: Cluster | None = None
        self.resources: Collection[str] = ()
        self._script: list[tuple[float, Callable[[], object]]] = []
        self._observer: Observer | None = None
        self._uid = 0
        self._version = 0

    def later(self, when: float, action: Callable[[], object]) -> "ScriptedBackend":
        """Something else happens, `when` seconds after the start."""
        self._script.append((when, action))
        return self

    @property
    def now(self) -> float:
        return self.clock.now

    def start(
        self, cluster: Cluster, namespace: str, resources: Collection[str], observer: Observer
    ) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.resources, self._observer = resources, observer
        for when, action in self._script:
            self.clock.at(when, action)

    def advance(self, until: float, stop: Callable[[], bool]) -> None:
        while not stop():
            if not self.clock.step(until):
                self.clock.run_until(until)
                return

    def apply(self, obj: JSON) -> None:
        self._call("apply", obj["kind"], obj["metadata"]["name"])
        if "refuse" in obj["metadata"].get("labels", {}):
            raise RefusedError(f"{obj['metadata']['name']} is invalid: spec.image: Required value")
        if obj["kind"] == "Performer":
            self._begin(obj)

    def create(self, obj: JSON) -> None:
        self._call("create", obj["kind"], obj["metadata"]["name"])

    def patch(self, patch: Patch) -> None:
        self._call("patch", patch.resource, patch.name)
        if patch.resource == "performers" and "image" in patch.merge.get("spec", {}):
            self._roll(patch.name, patch.merge)

    def delete(self, delete: Delete) -> None:
        self._call("delete", delete.resource, delete.name)
        if delete.resource == "performers":
            self._end(delete.name)

    def cordon(self, node: str) -> None:
        self._call("cordon", node)

    def uncordon(self, node: str) -> None:
        self._call("uncordon", node)

    def drain(self, node: str) -> None:
        self._call("drain", node)

    def inject(self, fault: str, parameters: JSON) -> None:
        self._call("inject", fault, str(parameters))

    def heal(self, fault: str) -> None:
        self._call("heal", fault)

    def write(self, verb: str, resource: str, name: str, code: int = 200) -> None:
        """The operator makes a mutating call."""
        assert self._observer is not None
        self._observer.wrote(Write(self.now, verb, resource, self.namespace, name, "", code))

    def emit(self, resource: str, obj: JSON, deleted: bool = False) -> None:
        """An object changes."""
        assert self._observer is not None
        meta = {"namespace": self.namespace, **obj["metadata"]}
        key = resource, meta["namespace"], meta["name"]
        before = self.objects.pop(key, None)
        if "uid" not in meta:
            self._uid += 1
            meta["uid"] = before["metadata"]["uid"] if before else f"uid-{self._uid}"
        self._version += 1
        obj = {**obj, "metadata": {**meta, "resourceVersion": str(self._version)}}
        kind = "DELETED" if deleted else "MODIFIED" if before else "ADDED"
        if not deleted:
            self.objects[key] = obj
        self._observer.changed(Change(self.now, kind, resource, obj))

    def status(
        self, name: str, statuses: tuple[str, str, str], message: str, **fields: Any
    ) -> None:
        """The operator writes a Performer's status."""
        obj = self.objects["performers", self.namespace, name]
        status = {**obj.get("status", {}), **fields, "conditions": conditions(statuses, message)}
        self.emit("performers", {**obj, "status": status})
        self.write("patch", "performers", name)

    def pod(self, performer: str, number: int, deleted: bool = False) -> str:
        """A pod of a Performer comes or goes."""
        name = f"performer-{performer}-aaaaaaaaaa-{number}"
        labels = {"performer-name": performer}
        metadata = {"name": name, "labels": labels, "uid": f"pod-{performer}-{number}"}
        self.emit("pods", {"metadata": metadata, "spec": {}, "status": {}}, deleted)
        return name

    def endpoint(self, performer: str, ready: bool) -> None:
        """The Service of a Performer gets or loses its ready endpoint."""
        service = f"performer-{performer}"
        labels = {"kubernetes.io/service-name": service}
        endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]
        metadata = {"name": f"{service}-x", "labels": labels}
        self.emit("endpointslices", {"metadata": metadata, "endpoints": endpoints})

    def _call(self, *words: str) -> None:
        self.calls.append(" ".join(words))

    def _begin(self, obj: JSON) -> None:
        name = obj["metadata"]["name"]
        metadata = {**obj["metadata"], "generation": 1}
        self.emit("performers", {**obj, "metadata": metadata, "status": {"phase": "Pending"}})

        def started() -> None:
            metadata = {"name": f"performer-{name}", "labels": {"performer-name": name}}
            self.emit("services", {"metadata": metadata})
            self.write("create", "services", f"performer-{name}")
            self.write("create", "pods", self.pod(name, 0))
            self.status(name, STARTING, "the pod waits", phase="Pending", observedGeneration=1)

        def serves() -> None:
            self.endpoint(name, True)
            self.status(
                name,
                HEALTHY,
                "serving",
                phase="Running",
                ready=True,
                podName=f"performer-{name}-aaaaaaaaaa-0",
                nodeName="node-1",
                templateHash="a",
                servingTemplateHash="a",
            )

        self.clock.after(1, started)
        self.clock.after(3, serves)

    def _roll(self, name: str, merge: JSON) -> None:
        obj = self.objects["performers", self.namespace, name]
        metadata = {**obj["metadata"], "generation": 2}
        self.emit("performers", {**obj, "metadata": metadata, "spec": {**obj["spec"], **merge}})

        def begins() -> None:
            self.status(
                name,
                UPGRADING,
                "rolling",
                phase="Upgrading",
                templateHash="b",
                observedGeneration=2,
            )
            self.pod(name, 1)

        def done() -> None:
            self.status(
                name,
                HEALTHY,
                "serving",
                phase="Running",
                podName=f"performer-{name}-aaaaaaaaaa-1",
                servingTemplateHash="b",
                lastUpgrade="2026-01-01T00:01:00Z",
            )
            self.pod(name, 0, deleted=True)

        self.clock.after(1, begins)
        self.clock.after(3, done)

    def _end(self, name: str) -> None:
        obj = self.objects["performers", self.namespace, name]
        metadata = {**obj["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
        self.emit("performers", {**obj, "metadata": metadata})
        self.clock.after(1, lambda: self.status(name, ENDING, "draining", phase="Terminating"))

        def gone() -> None:
            for resource, owned in (
                ("pods", f"performer-{name}-aaaaaaaaaa-0"),
                ("services", f"performer-{name}"),
                ("performers", name),
            ):
                self.emit(resource, self.objects[resource, self.namespace, owned], deleted=True)

        self.clock.after(2, gone)
