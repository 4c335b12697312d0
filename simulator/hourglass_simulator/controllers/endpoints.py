"""Keeps EndpointSlices and Endpoints of all Services with a selector."""

from collections.abc import Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import endpointslice
from hourglass_simulator.controllers.trigger_times import TriggerTimes, annotated

SYNC_SECONDS = 0.05
"""From a change to what follows from it; changes in between are taken together."""
RETRY_SECONDS = 1.0
USER = "system:serviceaccount:kube-system:endpointslice-controller"

_Key = tuple[str, str]
_ZONE = "topology.kubernetes.io/zone"


class EndpointController:
    """Services are found by one label of their selector, so that a pod's change costs little."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._services: dict[_Key, JSON] = {}
        self._by_label: dict[tuple[str, str, str], dict[_Key, None]] = {}
        self._pods: dict[_Key, JSON] = {}
        self._pods_by_label: dict[tuple[str, str, str], dict[_Key, None]] = {}
        self._keys: set[str] = set()
        self._slices: dict[_Key, dict[str, JSON]] = {}
        self._nodes: dict[str, str] = {}
        self._due: set[_Key] = set()
        self._times = TriggerTimes()
        api.watch("nodes", sink=self._node_event)
        api.watch("services", sink=self._service_event)
        api.watch("pods", sink=self._pod_event)
        api.watch("endpointslices", sink=self._slice_event)

    # Watches

    def _node_event(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        zone = (meta.get("labels") or {}).get(_ZONE)
        if event.type == "DELETED" or zone is None:
            self._nodes.pop(meta["name"], None)
        else:
            self._nodes[meta["name"]] = zone

    def _service_event(self, event: WatchEvent) -> None:
        service = event.object
        key = _key(service)
        before = self._services.get(key)
        if before is not None and (label := _label(before)):
            self._by_label[label].pop(key, None)
        if event.type == "DELETED":
            self._services.pop(key, None)
        else:
            self._services[key] = service
            if label := _label(service):
                self._by_label.setdefault(label, {})[key] = None
                self._index(label[1])
        self._sync_soon(key)

    def _pod_event(self, event: WatchEvent) -> None:
        pod = event.object
        key = _key(pod)
        before = self._pods.get(key)
        if event.type == "DELETED":
            self._pods.pop(key, None)
        else:
            self._pods[key] = pod
        labels = pod["metadata"].get("labels") or {}
        old = (before["metadata"].get("labels") or {}) if before is not None else labels
        if old is labels and before is not None and event.type != "DELETED":
            if not _matters(before, pod):
                return
        else:
            self._unlabel(key, old)
            if event.type != "DELETED":
                self._relabel(key, labels)
            if old is not labels:
                self._touch(key[0], old)
        self._touch(key[0], labels)

    def _slice_event(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        name = (meta.get("labels") or {}).get(endpointslice.SERVICE_NAME)
        if not name:
            return
        key = (meta["namespace"], name)
        held = self._slices.setdefault(key, {})
        if event.type == "DELETED":
            held.pop(meta["name"], None)
            self._sync_soon(key)
        else:
            held[meta["name"]] = event.object

    # Which pods belong to which Service

    def _index(self, label_key: str) -> None:
        if label_key in self._keys:
            return
        self._keys.add(label_key)
        for key, pod in self._pods.items():
            self._relabel(key, pod["metadata"].get("labels") or {})

    def _relabel(self, key: _Key, labels: Mapping[str, str]) -> None:
        for label_key, value in labels.items():
            if label_key in self._keys:
                self._pods_by_label.setdefault((key[0], label_key, value), {})[key] = None

    def _unlabel(self, key: _Key, labels: Mapping[str, str]) -> None:
        for label_key, value in labels.items():
            if label_key in self._keys:
                held = self._pods_by_label.get((key[0], label_key, value))
                if held is not None:
                    held.pop(key, None)

    def _touch(self, namespace: str, labels: Mapping[str, str]) -> None:
        for label_key, value in labels.items():
            if label_key not in self._keys:
                continue
            for key in self._by_label.get((namespace, label_key, value), ()):
                selector = self._services[key]["spec"]["selector"]
                if all(labels.get(k) == v for k, v in selector.items()):
                    self._sync_soon(key)

    def _selected(self, service: JSON) -> list[JSON]:
        label = _label(service)
        assert label is not None
        selector = service["spec"]["selector"].items()
        found = sorted(self._pods_by_label.get(label, ()))
        pods = [self._pods[key] for key in found]
        return [
            pod for pod in pods if all(pod["metadata"]["labels"].get(k) == v for k, v in selector)
        ]

    # Syncs

    def _sync_soon(self, key: _Key, seconds: float = SYNC_SECONDS) -> None:
        if key not in self._due:
            self._due.add(key)
            self._clock.after(seconds, lambda: self._sync(key))

    def _sync(self, key: _Key) -> None:
        self._due.discard(key)
        service = self._services.get(key)
        try:
            if service is None:
                self._times.forget(key)
                self._remove_endpoints(key)
            elif _label(service) and "deletionTimestamp" not in service["metadata"]:
                pods = self._selected(service)
                changed = self._times.changed(key, service, pods)
                self._sync_slices(key, service, pods, changed)
                self._sync_endpoints(key, service, pods, changed)
        except (APIError, CallTimeoutError):
            self._sync_soon(key, RETRY_SECONDS)

    def _sync_slices(self, key: _Key, service: JSON, pods: list[JSON], changed: str) -> None:
        wanted = endpointslice.slices(service, pods, self._nodes.get)
        labels = endpointslice.slice_labels(service)
        uid = service["metadata"]["uid"]
        held = [
            obj
            for _, obj in sorted(self._slices.get(key, {}).items())
            if any(o["uid"] == uid for o in obj["metadata"].get("ownerReferences") or ())
        ]
        for content, obj in zip(wanted, held, strict=False):
            meta = obj["metadata"]
            same = all(obj.get(field) == value for field, value in content.items())
            if not same or meta.get("labels") != labels:
                meta = annotated({**meta, "labels": labels}, changed)
                new = {**obj, "metadata": meta, **content}
                self._api.update("endpointslices", new, user=USER)
        for content in wanted[len(held) :]:
            new = endpointslice.new_slice(service, content)
            new["metadata"] = annotated(new["metadata"], changed)
            self._api.create("endpointslices", new, namespace=key[0], user=USER)
        for obj in held[len(wanted) :]:
            self._api.delete("endpointslices", key[0], obj["metadata"]["name"], user=USER)

    def _sync_endpoints(self, key: _Key, service: JSON, pods: list[JSON], changed: str) -> None:
        labels = dict(endpointslice.endpoints_labels(service))
        meta: JSON = {"name": key[1], "namespace": key[0], "labels": labels}
        wanted: JSON = {"metadata": annotated(meta, changed)}
        if found := endpointslice.subsets(service, pods):
            wanted["subsets"] = found
        stored = self._stored_endpoints(key)
        if stored is None:
            self._api.create("endpoints", wanted, namespace=key[0], user=USER)
        elif (stored.get("subsets"), stored["metadata"].get("labels")) != (found or None, labels):
            kept = {k: v for k, v in stored.items() if k != "subsets"}
            meta = annotated({**stored["metadata"], "labels": labels}, changed)
            self._api.update("endpoints", {**kept, **wanted, "metadata": meta}, user=USER)

    def _remove_endpoints(self, key: _Key) -> None:
        if self._stored_endpoints(key) is not None:
            self._api.delete("endpoints", key[0], key[1], user=USER)

    def _stored_endpoints(self, key: _Key) -> JSON | None:
        try:
            return self._api.get("endpoints", key[0], key[1], user=USER)
        except APIError as error:
            if error.code == 404:
                return None
            raise


def _key(obj: JSON) -> _Key:
    meta = obj["metadata"]
    return meta["namespace"], meta["name"]


def _label(service: JSON) -> tuple[str, str, str] | None:
    """The label by which a Service's pods are found; None if it has no selector."""
    selector = service["spec"].get("selector")
    if not selector:
        return None
    last = max(selector)
    return service["metadata"]["namespace"], last, selector[last]


def _matters(before: JSON, after: JSON) -> bool:
    """Whether a pod's change can change an endpoint."""
    if ("deletionTimestamp" in before["metadata"]) != ("deletionTimestamp" in after["metadata"]):
        return True
    old, new = before["status"], after["status"]
    if old is new:
        return False
    return (
        old.get("podIP") != new.get("podIP")
        or old.get("phase") != new.get("phase")
        or endpointslice.ready(before) != endpointslice.ready(after)
    )
