"""Lets a CustomResourceDefinition that is deleted go when its objects are gone.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/controller/finalizer/crd_finalizer.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.apiserver.definition_names import ESTABLISHED, is_true, with_condition
from hourglass_simulator.apiserver.definitions import CLEANUP, PLURAL, TERMINATING
from hourglass_simulator.clock import Clock

LATENCY_SECONDS = 0.05
CHECK_SECONDS = 5.0
"""Between two looks at what is left."""
USER = "system:apiserver"
_IN_PROGRESS = ("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
_NEVER = ("False", "NeverEstablished", "resource was never established")
_DONE = ("False", "InstanceDeletionCompleted", "removed all instances")


class DefinitionFinalizer:
    """Deletes the objects of a definition, waits for their finalizers, and takes its own away."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._going: set[str] = set()
        api.watch(PLURAL, sink=self._event)

    def _event(self, event: WatchEvent) -> None:
        name = event.object["metadata"]["name"]
        if event.type == "DELETED":
            self._going.discard(name)
        elif name not in self._going and CLEANUP in event.object["metadata"].get("finalizers", ()):
            self._going.add(name)
            self._clock.after(LATENCY_SECONDS, lambda: self._process(name))

    def _process(self, name: str) -> None:
        if name not in self._going:
            return
        try:
            empty = self._empty(name)
        except (APIError, CallTimeoutError):
            empty = False
        if not empty:
            self._clock.after(CHECK_SECONDS, lambda: self._process(name))

    def _empty(self, name: str) -> bool:
        """Delete the objects; whether none was left, so that the definition is released."""
        definition = self._with_condition(self._api.get(PLURAL, "", name), *_IN_PROGRESS)
        if is_true(definition, ESTABLISHED):
            resource = next(r.name for r in self._api.resources() if r.qualified == name)
            for obj in self._api.list(resource).items:
                meta = obj["metadata"]
                if "deletionTimestamp" not in meta:
                    self._api.delete(resource, meta.get("namespace", ""), meta["name"], user=USER)
            if self._api.list(resource).items:
                return False
            definition = self._with_condition(definition, *_DONE)
        else:
            definition = self._with_condition(definition, *_NEVER)
        kept = [each for each in definition["metadata"]["finalizers"] if each != CLEANUP]
        self._api.patch(PLURAL, "", name, {"metadata": {"finalizers": kept}}, user=USER)
        return True

    def _with_condition(self, crd: JSON, state: str, reason: str, message: str) -> JSON:
        name, status = crd["metadata"]["name"], crd.get("status") or {}
        conditions = with_condition(
            status, TERMINATING, state, reason, message, self._clock.timestamp()
        )
        if conditions == status.get("conditions"):
            return crd
        patch = {"status": {"conditions": conditions}}
        return self._api.patch(PLURAL, "", name, patch, subresource="status", user=USER)
