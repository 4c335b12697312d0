"""Counts what ResourceQuotas limit: a new quota, and what is no longer used.

What is created is added by admission.
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/resourcequota/resource_quota_controller.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.apiserver.quota_usage import evaluator, used
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.clock import Clock

SYNC_SECONDS = 0.05
RETRY_SECONDS = 1.0
USER = "system:serviceaccount:kube-system:resourcequota-controller"
_ENDED = ("Succeeded", "Failed")


class ResourceQuotaController:
    """Other resources are watched from the first quota on."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._quotas: dict[str, dict[str, JSON]] = {}
        self._watched: set[str] = set()
        self._due: set[str] = set()
        api.watch("resourcequotas", sink=self._quota_event)
        api.count_quotas_by(self.counted)

    def counted(self, quota: JSON) -> JSON:
        """The quota with what is used of it now."""
        hard = dict(quota["spec"].get("hard") or {})
        status: JSON = {"hard": hard, "used": used(quota, lambda name: self._objects(name, quota))}
        if not hard:
            status = {}
        return {**quota, "status": status}

    def _quota_event(self, event: WatchEvent) -> None:
        quota, meta = event.object, event.object["metadata"]
        if event.type == "DELETED":
            self._quotas.get(meta["namespace"], {}).pop(meta["name"], None)
            return
        self._quotas.setdefault(meta["namespace"], {})[meta["name"]] = quota
        if quota["spec"].get("hard", {}) != (quota.get("status") or {}).get("hard", {}):
            self._soon(meta["namespace"])

    def _object_event(self, event: WatchEvent) -> None:
        namespace = event.object["metadata"].get("namespace", "")
        if not self._quotas.get(namespace):
            return
        ended = (event.object.get("status") or {}).get("phase") in _ENDED
        if event.type == "DELETED" or ended:
            self._soon(namespace)

    def _soon(self, namespace: str, seconds: float = SYNC_SECONDS) -> None:
        if not self._due:
            self._clock.after(seconds, self._sync)
        self._due.add(namespace)

    def _sync(self) -> None:
        due, self._due = sorted(self._due), set()
        self._watch_all()
        for namespace in due:
            for _, quota in sorted(self._quotas.get(namespace, {}).items()):
                status = self.counted(quota)["status"]
                try:
                    name = quota["metadata"]["name"]
                    self._api.set_status("resourcequotas", namespace, name, status, USER)
                except (APIError, CallTimeoutError) as error:
                    if not isinstance(error, APIError) or error.code != 404:
                        self._soon(namespace, RETRY_SECONDS)

    def _watch_all(self) -> None:
        version = self._api.resource_version
        for resource in self._api.resources():
            if resource.namespaced and resource.name not in self._watched:
                self._watched.add(resource.name)
                sink = self._object_event
                self._api.watch(resource.name, sink=sink, resource_version=version, user=USER)

    def _objects(self, name: str, quota: JSON) -> Iterator[tuple[Resource, JSON]]:
        namespace = quota["metadata"]["namespace"]
        for resource in self._api.resources():
            if resource.namespaced and evaluator(resource).concerns(name):
                for obj in self._api.list(resource.name, namespace, user=USER).items:
                    yield resource, obj
