"""Empties namespaces that are deleted, and lets them go.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/namespace/deletion/namespaced_resources_deleter.go
"""

from collections import Counter
from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.clock import Clock

GRACE_SECONDS = 5.0
"""From the deletion of a namespace to the first look at what is in it."""
RETRY_SECONDS = 5.0
"""After a call that failed."""
FINALIZER_SECONDS = 15
"""How long finalizers are expected to take."""
USER = "system:serviceaccount:kube-system:namespace-controller"

_OK = {
    "NamespaceDeletionDiscoveryFailure": (
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": (
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
}


class Left(NamedTuple):
    """What is left in a namespace: how many objects by resource, and by finalizer."""

    resources: dict[str, int]
    finalizers: dict[str, int]


class NamespaceController:
    """Looks at a namespace again until nothing is left in it: pods first, then all the rest."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._going: set[str] = set()
        api.watch("namespaces", sink=self._event)

    def _event(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        name = meta["name"]
        if event.type == "DELETED":
            self._going.discard(name)
        elif "deletionTimestamp" in meta and name not in self._going:
            self._going.add(name)
            self._clock.after(GRACE_SECONDS, lambda: self._process(name))

    def _process(self, name: str) -> None:
        if name not in self._going:
            return
        try:
            wait = self._emptied(name)
        except (APIError, CallTimeoutError):
            wait = RETRY_SECONDS
        if wait:
            self._clock.after(wait, lambda: self._process(name))

    def _emptied(self, name: str) -> float:
        """Delete what there is; seconds until the next look, 0 when the namespace is released."""
        resources = [r for r in self._api.resources() if r.namespaced]
        pods = [r for r in resources if r.plural == "pods"]
        others = [r for r in resources if r.plural != "pods"]
        grace = self._grace(name)
        remaining = self._delete(name, pods)
        if remaining.resources:
            # The real controller does not say either which pods it waits for.
            self._report(name, Left({}, {}))
            return (grace or FINALIZER_SECONDS) // 2 + 1
        remaining = self._delete(name, others)
        self._report(name, remaining)
        if remaining.resources:
            return FINALIZER_SECONDS // 2 + 1
        namespace = self._api.get("namespaces", "", name)
        kept = [each for each in namespace["spec"]["finalizers"] if each != "kubernetes"]
        released = {**namespace, "spec": {"finalizers": kept}}
        self._api.update("namespaces", released, subresource="finalize", user=USER)
        return 0

    def _grace(self, namespace: str) -> int:
        """The longest grace period of a pod that has not ended, in seconds."""
        pods = self._api.list("pods", namespace).items
        running = [p for p in pods if p["status"].get("phase") not in ("Succeeded", "Failed")]
        return max((p["spec"].get("terminationGracePeriodSeconds", 0) for p in running), default=0)

    def _delete(self, namespace: str, resources: list[Resource]) -> Left:
        left, finalizers = {}, Counter[str]()
        for resource in resources:
            for obj in self._api.list(resource.name, namespace).items:
                if "deletionTimestamp" not in obj["metadata"]:
                    self._delete_one(resource, obj)
            items = self._api.list(resource.name, namespace).items
            if items:
                left[f"{resource.plural}.{resource.group}"] = len(items)
            finalizers.update(f for obj in items for f in obj["metadata"].get("finalizers") or ())
        return Left(left, dict(finalizers))

    def _delete_one(self, resource: Resource, obj: JSON) -> None:
        meta = obj["metadata"]
        try:
            self._api.delete(
                resource.name,
                meta["namespace"],
                meta["name"],
                propagation_policy="Background",
                user=USER,
            )
        except APIError as error:
            if error.code != 404:
                raise

    def _report(self, name: str, left: Left) -> None:
        namespace = self._api.get("namespaces", "", name)
        before = namespace["status"].get("conditions") or []
        after = conditions(left, before, self._clock.timestamp())
        if after != before:
            status = {**namespace["status"], "conditions": after}
            self._api.set_status("namespaces", "", name, status, user=USER)


def conditions(left: Left, before: list[JSON], timestamp: str) -> list[JSON]:
    """The conditions of a namespace that is being emptied; times of those that stay are kept.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/namespace/deletion/status_condition_utils.go
    """
    wrong = {}
    if left.resources:
        each = sorted(f"{name} has {n} resource instances" for name, n in left.resources.items())
        text = f"Some resources are remaining: {', '.join(each)}"
        wrong["NamespaceContentRemaining"] = ("SomeResourcesRemain", text)
    if left.finalizers:
        each = sorted(f"{name} in {n} resource instances" for name, n in left.finalizers.items())
        text = f"Some content in the namespace has finalizers remaining: {', '.join(each)}"
        wrong["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", text)
    known = {condition["type"]: condition for condition in before}
    result = []
    for kind, ok in _OK.items():
        reason, message = wrong.get(kind, ok)
        status = "True" if kind in wrong else "False"
        since = timestamp
        if kind in known and known[kind]["status"] == status:
            since = known[kind]["lastTransitionTime"]
        result.append(
            {
                "type": kind,
                "status": status,
                "lastTransitionTime": since,
                "reason": reason,
                "message": message,
            }
        )
    return [*(each for each in before if each["type"] not in _OK), *result]
