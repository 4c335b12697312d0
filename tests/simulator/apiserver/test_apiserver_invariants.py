"""What holds for every sequence of calls."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, WatchEvent
from hourglass_simulator.apiserver.patches import JSON_PATCH, MERGE, STRATEGIC
from hourglass_simulator.clock import Clock

NAMES = st.sampled_from(["a", "b", "c"])
LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["x", "y"]))
FINALIZERS = st.lists(st.sampled_from(["example.com/f", "example.com/g"]), unique=True)
KINDS = st.sampled_from(["pods", "services", "configmaps"])
SPECS: dict[str, JSON] = {
    "pods": {"spec": {"containers": [{"name": "main", "image": "a:1"}]}},
    "services": {"spec": {"ports": [{"port": 1}]}},
    "configmaps": {},
}


class Replica:
    """What a client knows that lists once and then follows a watch."""

    def __init__(self, objects: dict[str, JSON]) -> None:
        self.objects = objects
        self.versions: list[int] = []
        self.gone = False

    def receive(self, event: WatchEvent) -> None:
        if event.type == "ERROR":
            self.gone = True
            return
        name = event.object["metadata"]["name"]
        self.versions.append(int(event.object["metadata"]["resourceVersion"]))
        assert (event.type == "ADDED") == (name not in self.objects), event.type
        if event.type == "DELETED":
            del self.objects[name]
        else:
            self.objects[name] = event.object


class Sequences(RuleBasedStateMachine):
    """Random calls on objects of three kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.api = APIServer(self.clock, history=40)
        self.born = self.api.resource_version
        self.commits: list[int] = []
        self.history: dict[str, list[WatchEvent]] = {resource: [] for resource in SPECS}
        for resource, events in self.history.items():
            self.api.watch(resource, resource_version=self.born, sink=self._seen)
            self.api.watch(resource, resource_version=self.born, sink=events.append)
        self.replicas: dict[tuple[str, str], Replica] = {}
        for resource in SPECS:
            for selector in ("", "app=x", "tier!=y"):
                replica = self.replicas[resource, selector] = Replica({})
                self.api.watch(
                    resource,
                    label_selector=selector,
                    resource_version=self.born,
                    sink=replica.receive,
                )

    def _seen(self, event: WatchEvent) -> None:
        self.commits.append(int(event.object["metadata"]["resourceVersion"]))

    def attempt(self, call: Any, *args: Any, **options: Any) -> JSON | None:
        before = self.api.resource_version
        try:
            answer: JSON = call(*args, **options)
        except APIError:
            assert self.api.resource_version == before, "a refused call changed something"
            return None
        return answer

    @rule(resource=KINDS, name=NAMES, labels=LABELS, finalizers=FINALIZERS)
    def create(self, resource: str, name: str, labels: JSON, finalizers: list[str]) -> None:
        meta = {"name": name, "labels": labels, "finalizers": finalizers}
        obj = {"metadata": meta, **SPECS[resource]}
        self.attempt(self.api.create, resource, obj, namespace="default")

    @rule(resource=KINDS, name=NAMES, labels=LABELS, kind=st.sampled_from([MERGE, STRATEGIC]))
    def label(self, resource: str, name: str, labels: JSON, kind: str) -> None:
        patch = {"metadata": {"labels": labels}}
        self.attempt(self.api.patch, resource, "default", name, patch, kind)

    @rule(resource=KINDS, name=NAMES, finalizers=FINALIZERS)
    def finalize(self, resource: str, name: str, finalizers: list[str]) -> None:
        patch = {"metadata": {"finalizers": finalizers}}
        self.attempt(self.api.patch, resource, "default", name, patch)

    @rule(resource=KINDS, name=NAMES)
    def replace_by_json_patch(self, resource: str, name: str) -> None:
        patch = [{"op": "replace", "path": "/metadata/labels", "value": {"app": "x"}}]
        self.attempt(self.api.patch, resource, "default", name, patch, JSON_PATCH)

    @rule(resource=KINDS, name=NAMES, stale=st.booleans())
    def update(self, resource: str, name: str, stale: bool) -> None:
        found = self.attempt(self.api.get, resource, "default", name)
        if found is not None:
            version = "1" if stale else found["metadata"]["resourceVersion"]
            meta = {**found["metadata"], "resourceVersion": version}
            answer = self.attempt(self.api.update, resource, {**found, "metadata": meta})
            assert (answer is None) == stale
            assert stale or answer == found

    @rule(name=NAMES, phase=st.sampled_from(["Running", "Failed"]))
    def set_status(self, name: str, phase: str) -> None:
        status = {"phase": phase, "qosClass": "BestEffort"}
        self.attempt(self.api.set_status, "pods", "default", name, status)

    @rule(name=NAMES)
    def bind(self, name: str) -> None:
        self.attempt(self.api.bind, "default", name, "node")

    @rule(name=NAMES)
    def evict(self, name: str) -> None:
        self.attempt(self.api.evict, "default", name)

    @rule(
        resource=KINDS,
        name=NAMES,
        grace=st.sampled_from([None, 0, 5, 50]),
        policy=st.sampled_from([None, "Background", "Foreground", "Orphan"]),
    )
    def delete(self, resource: str, name: str, grace: int | None, policy: str | None) -> None:
        found = self.attempt(self.api.get, resource, "default", name)
        self.attempt(
            self.api.delete,
            resource,
            "default",
            name,
            grace_period_seconds=grace,
            propagation_policy=policy,
        )
        if found is None:
            return
        finalizers = set(found["metadata"].get("finalizers") or ())
        # The last deletion decides about propagation: one in the background takes these away.
        others = finalizers - {"foregroundDeletion", "orphan"}
        if others or (finalizers and policy != "Background"):
            left = self.api.get(resource, "default", name)["metadata"]
            assert "deletionTimestamp" in left
            assert others <= set(left.get("finalizers") or ())

    @rule()
    def time_passes(self) -> None:
        self.clock.run_until(self.clock.now + 7)

    @precondition(lambda self: len(self.commits) > 3)
    @rule(data=st.data())
    def watch_from_the_past(self, data: st.DataObject) -> None:
        version = data.draw(st.sampled_from([int(self.born), *self.commits]))
        for resource in SPECS:
            replica = Replica(self._state_at(resource, version))
            self.api.watch(resource, resource_version=str(version), sink=replica.receive).stop()
            now = {o["metadata"]["name"]: o for o in self.api.list(resource).items}
            assert replica.gone or replica.objects == now

    def _state_at(self, resource: str, version: int) -> dict[str, JSON]:
        state: dict[str, JSON] = {}
        for event in self.history[resource]:
            if int(event.object["metadata"]["resourceVersion"]) <= version:
                name = event.object["metadata"]["name"]
                if event.type == "DELETED":
                    state.pop(name)
                else:
                    state[name] = event.object
        return state

    @invariant()
    def versions_only_grow(self) -> None:
        assert self.commits == sorted(set(self.commits))
        assert not self.commits or self.commits[-1] == int(self.api.resource_version)

    @invariant()
    def replicas_know_what_is_listed(self) -> None:
        for (resource, selector), replica in self.replicas.items():
            listed = self.api.list(resource, label_selector=selector).items
            assert replica.objects == {obj["metadata"]["name"]: obj for obj in listed}
            assert replica.versions == sorted(replica.versions)

    @invariant()
    def what_is_deleted_waits_for_something(self) -> None:
        for resource in SPECS:
            for obj in self.api.list(resource).items:
                meta = obj["metadata"]
                if "deletionTimestamp" in meta:
                    assert meta.get("finalizers") or meta["deletionGracePeriodSeconds"]


Sequences.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestSequences = Sequences.TestCase
