"""Plays scenarios on a real API server, scheduler and controller manager; KWOK is the kubelets.

A scenario has the cluster for itself: its nodes are all that take its pods, and when it has ended
everything that it made is removed.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from math import inf
from queue import Empty

from clusters import wait_until
from hourglass_kube.types import JSON
from hourglass_simulator.harness.apply import merge_patch
from hourglass_simulator.scenario.backend import Observer, RefusedError, Write
from hourglass_simulator.scenario.cluster import Cluster
from hourglass_simulator.scenario.step import Delete, Patch
from scenarios import objects
from scenarios.api import Api, CallError, Record
from scenarios.kwok import Kwok
from scenarios.removal import remove

EVICTION_RETRY = 5.0
"""Seconds from a refused eviction to the next attempt, as in `kubectl drain`."""
LEASES = "kube-node-lease"
NOT_READY = "node.kubernetes.io/not-ready"
ANSWERED = 1.0
"""Seconds within which a write is answered whose effect a watch has shown."""
CATCH_UP = 5.0
"""Seconds within which a watch shows what a call has changed."""


class RealBackend:
    """Implements `Backend`; the operator runs already, and its writes come with `api.records`.

    Leave the context to remove what the scenario made.
    """

    def __init__(
        self, api: Api, kwok: Kwok | None = None, writing: Callable[[], bool] = lambda: False
    ) -> None:
        """Without KWOK the cluster's own kubelets play the pods.

        `writing`: whether the operator waits for the answer to a write.
        """
        self._api = api
        self._writing = writing
        self._kwok = kwok
        self._namespace = "default"
        self._started = time.monotonic()
        self._observer: Observer | None = None
        self._made: list[tuple[str, str, str]] = []
        self._applied: dict[tuple[str, str, str], JSON] = {}
        self._versions: dict[str, float] = {}
        """Uid of what was made since the start → the version that a watch has shown; inf: gone."""
        self._batch: deque[Record] = deque()
        self._ended = threading.Event()

    def __enter__(self) -> "RealBackend":
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        try:
            remove(self._api, self._made)
        finally:
            if self._kwok is not None:
                self._kwok.stop()

    @property
    def now(self) -> float:
        """Seconds since the start of the scenario."""
        return time.monotonic() - self._started

    def start(
        self, cluster: Cluster, namespace: str, resources: Collection[str], observer: Observer
    ) -> None:
        """Add the scenario's nodes and objects; returns when pods can be scheduled to them."""
        self._namespace, self._observer = namespace, observer
        for resource in resources:
            self._api.watch(resource)
        with suppress(Empty):
            while True:
                self._api.records.get_nowait()
        self._started = time.monotonic()
        self._ensure_namespace(namespace)
        if self._kwok is not None:
            self._kwok.start(cluster.images)
        names = {node["metadata"]["name"] for node in objects.nodes(cluster)}
        for node in objects.nodes(cluster):
            self._make("nodes", "", node)
        for resource, body in objects.others(cluster):
            self._make(resource, self._in(resource, None), body)
        wait_until("the scenario's nodes take pods", lambda: self._take_pods(names))
        self._started = time.monotonic()

    def advance(self, until: float, stop: Callable[[], bool]) -> None:
        """Let time pass; `stop` is asked after every change."""
        while (left := until - self.now) > 0:
            try:
                record = self._next(left)
            except Empty:
                return
            if self._observe(record) and stop():
                return

    def apply(self, obj: JSON) -> None:
        """As `kubectl apply`."""
        resource, namespace, name = self._place(obj)
        key = resource, namespace, name
        if self._api.get(resource, namespace, name) is None:
            self._make(resource, namespace, obj)
        else:
            patch = merge_patch(self._applied.get(key, {}), obj)
            self._call(resource, lambda: self._api.patch(resource, namespace, name, patch))
        self._applied[key] = obj

    def create(self, obj: JSON) -> None:
        """As `kubectl create`."""
        resource, namespace, _ = self._place(obj)
        self._make(resource, namespace, obj)

    def patch(self, patch: Patch) -> None:
        """As `kubectl patch --type=merge`."""
        namespace = self._in(patch.resource, patch.namespace)
        subresource = patch.subresource or ""
        self._call(
            patch.resource,
            lambda: self._api.patch(
                patch.resource, namespace, patch.name, patch.merge, subresource
            ),
        )

    def delete(self, delete: Delete) -> None:
        """As `kubectl delete --wait=false`."""
        namespace = self._in(delete.resource, delete.namespace)
        self._applied.pop((delete.resource, namespace, delete.name), None)
        grace = delete.grace_period_seconds
        self._call(
            delete.resource,
            lambda: self._api.delete(delete.resource, namespace, delete.name, grace),
        )

    def cordon(self, node: str) -> None:
        """As `kubectl cordon`."""
        self._schedulable(node, {"unschedulable": True})

    def uncordon(self, node: str) -> None:
        """As `kubectl uncordon`."""
        self._schedulable(node, {"unschedulable": None})

    def drain(self, node: str) -> None:
        """As `kubectl drain`; evictions that are refused are repeated in the background."""
        self.cordon(node)
        pods = self._api.list("pods", selector=f"spec.nodeName={node}")
        threading.Thread(target=self._evict, args=(pods,), daemon=True).start()

    def inject(self, fault: str, parameters: JSON) -> None:
        """There are no faults here: only portable scenarios can be played."""
        raise RefusedError(f"{fault} {parameters}: faults are for the simulator")

    def heal(self, fault: str) -> None:
        """See `inject`."""
        raise RefusedError(f"{fault}: faults are for the simulator")

    def wait_for_account(self, namespace: str) -> None:
        """Return once pods can be made in a namespace."""
        wait_until(
            f"the namespace {namespace} has its ServiceAccount",
            lambda: self._api.get("serviceaccounts", namespace, "default") is not None,
        )

    def _schedulable(self, node: str, spec: JSON) -> None:
        self._call("nodes", lambda: self._api.patch("nodes", "", node, {"spec": spec}))

    def _next(self, timeout: float) -> Record:
        """What happened next, writes before their effects; Empty if nothing happens."""
        if not self._batch:
            found = [self._api.records.get(timeout=timeout)]
            # A watch may show what a write has done before the write is answered.
            deadline = time.monotonic() + ANSWERED
            while self._writing() and time.monotonic() < deadline:
                time.sleep(0.001)
            with suppress(Empty):
                while True:
                    found.append(self._api.records.get_nowait())
            self._batch.extend(sorted(found, key=lambda each: not isinstance(each, Write)))
        return self._batch.popleft()

    def _observe(self, record: Record) -> bool:
        """Pass a record to the observer, unless its object was there before the scenario."""
        assert self._observer is not None
        seconds = max(0.0, record.time - self._started)
        if isinstance(record, Write):
            self._observer.wrote(replace(record, time=seconds))
            return True
        metadata = record.object["metadata"]
        if record.type != "ADDED" and metadata["uid"] not in self._versions:
            return False
        gone = record.type == "DELETED"
        self._versions[metadata["uid"]] = inf if gone else int(metadata["resourceVersion"])
        self._observer.changed(replace(record, time=seconds))
        return True

    def _call(self, resource: str, call: Callable[[], JSON]) -> JSON:
        """Make a call and let the observer see what it has changed."""
        try:
            answer = call()
        except CallError as error:
            raise RefusedError(str(error)) from error
        if self._api.watches(resource):
            self._catch_up(answer)
        return answer

    def _catch_up(self, answer: JSON) -> None:
        if answer["kind"] == "Status":
            # A deletion that was final at once.
            uid, version = answer["details"]["uid"], inf
        else:
            uid = answer["metadata"]["uid"]
            version = int(answer["metadata"]["resourceVersion"])
        deadline = time.monotonic() + CATCH_UP
        while self._versions.get(uid, 0) < version:
            try:
                record = self._next(max(0, deadline - time.monotonic()))
            except Empty:
                raise TimeoutError(f"no watch showed version {version} of {uid}") from None
            self._observe(record)

    def _make(self, resource: str, namespace: str, body: JSON) -> None:
        self._call(resource, lambda: self._api.create(resource, namespace, body))
        self._made.append((resource, namespace, body["metadata"]["name"]))

    def _place(self, obj: JSON) -> tuple[str, str, str]:
        """Resource, namespace and name of a manifest."""
        resource = self._api.plural(obj["kind"])
        if resource is None:
            raise RefusedError(
                f'no matches for kind "{obj["kind"]}" in version "{obj["apiVersion"]}"'
            )
        namespace = self._in(resource, obj["metadata"].get("namespace"))
        if namespace:
            self._ensure_namespace(namespace)
        return resource, namespace, obj["metadata"]["name"]

    def _in(self, resource: str, namespace: str | None) -> str:
        return (namespace or self._namespace) if self._api.namespaced(resource) else ""

    def _ensure_namespace(self, namespace: str) -> None:
        """Make a namespace; one of the scenario before may still be on its way out."""

        def ended() -> bool:
            found = self._api.get("namespaces", "", namespace)
            return found is None or found["status"]["phase"] == "Active"

        wait_until(f"the namespace {namespace} of before is gone", ended)
        if self._api.get("namespaces", "", namespace) is None:
            self._make("namespaces", "", {"metadata": {"name": namespace}})
        self.wait_for_account(namespace)

    def _take_pods(self, names: set[str]) -> bool:
        """Whether nodes are under a kubelet: the taint of new nodes is off, a Lease is held."""
        nodes = {node["metadata"]["name"]: node for node in self._api.list("nodes")}
        leases = {lease["metadata"]["name"] for lease in self._api.list("leases", LEASES)}
        return names <= leases and not any(
            taint["key"] == NOT_READY
            for name in names
            for taint in nodes[name]["spec"].get("taints", ())
        )

    def _evict(self, pods: list[JSON]) -> None:
        waiting = [
            pod["metadata"]
            for pod in pods
            if all(owner["kind"] != "DaemonSet" for owner in _owners(pod))
        ]
        while waiting and not self._ended.is_set():
            refused = []
            for pod in waiting:
                try:
                    self._api.evict(pod["namespace"], pod["name"])
                except CallError as error:
                    if error.code != 404:
                        refused.append(pod)
            waiting = refused
            if waiting:
                self._ended.wait(EVICTION_RETRY)


def _owners(obj: JSON) -> list[JSON]:
    return obj["metadata"].get("ownerReferences") or []
