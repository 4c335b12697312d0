"""Lets a CustomResourceDefinition that is deleted go when its objects are gone.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/controller/finalizer/crd_finalizer.go
"""

from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.apiserver.strategies import CLEANUP
from hourglass_simulator.clock import Clock

LATENCY_SECONDS = 0.05
CHECK_SECONDS = 5.0
"""Between two looks at what is left."""
USER = "system:apiserver"


class DefinitionFinalizer:
    """Deletes the objects of a definition, waits for their finalizers, and takes its own away."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._going: set[str] = set()
        api.watch("customresourcedefinitions", sink=self._event)

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
        definition = self._api.get("customresourcedefinitions", "", name)
        plural = definition["spec"]["names"]["plural"]
        for obj in self._api.list(plural).items:
            meta = obj["metadata"]
            if "deletionTimestamp" not in meta:
                self._api.delete(plural, meta.get("namespace", ""), meta["name"], user=USER)
        if self._api.list(plural).items:
            return False
        kept = [each for each in definition["metadata"]["finalizers"] if each != CLEANUP]
        patch = {"metadata": {"finalizers": kept}}
        self._api.patch("customresourcedefinitions", "", name, patch, user=USER)
        return True
