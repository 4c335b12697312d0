"""Garbage collection by owner references: background, foreground and orphaning.

https://kubernetes.io/docs/concepts/architecture/garbage-collection/
"""

from collections.abc import Iterable
from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock

LATENCY_SECONDS = 0.05
"""From a deletion to what follows from it."""
RETRY_SECONDS = 1.0
USER = "system:serviceaccount:kube-system:generic-garbage-collector"

_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"
_POLICIES = {_FOREGROUND: "Foreground", _ORPHAN: "Orphan"}
# Written for the moment, not owned by anything that matters.
_IGNORED = ("events", "leases.coordination.k8s.io")


class GarbageCollector:
    """Knows who owns whom in everything that is served."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._objects: dict[str, tuple[str, JSON]] = {}
        self._dependents: dict[str, dict[str, None]] = {}
        self._watched: set[str] = set()
        self._elsewhere: set[str] = set()
        self._watch_all()
        api.watch("customresourcedefinitions", sink=self._crd_event)

    def take_to_exist(self, uids: Iterable[str]) -> None:
        """Owners that are not served here, and still own what refers to them."""
        self._elsewhere.update(uids)

    def _exists(self, uid: str) -> bool:
        return uid in self._objects or uid in self._elsewhere

    def _crd_event(self, event: WatchEvent) -> None:
        if event.type == "DELETED":
            self._watched.discard(event.object["metadata"]["name"])
        else:
            self._clock.after(LATENCY_SECONDS, self._watch_all)

    def _watch_all(self) -> None:
        for resource in self._api.resources():
            name = resource.qualified
            if name not in self._watched and name not in _IGNORED:
                self._watched.add(name)
                self._api.watch(resource.name, sink=partial(self._event, resource.name))

    def _event(self, resource: str, event: WatchEvent) -> None:
        obj = event.object
        meta = obj["metadata"]
        uid = meta["uid"]
        if event.type == "DELETED":
            self._gone(uid)
            return
        before = self._objects.get(uid)
        self._objects[uid] = (resource, obj)
        owners = meta.get("ownerReferences")
        if before is not None:
            old = before[1]["metadata"]
            if old.get("ownerReferences") is not owners:
                self._disown(uid, old)
                self._own(uid, meta)
                self._soon(uid)
            if "deletionTimestamp" in meta and (
                "deletionTimestamp" not in old or old.get("finalizers") != meta.get("finalizers")
            ):
                self._soon(uid)
        elif owners:
            self._own(uid, meta)
            if not all(self._exists(owner["uid"]) for owner in owners):
                self._soon(uid)

    def _own(self, uid: str, meta: JSON) -> None:
        for owner in meta.get("ownerReferences") or ():
            self._dependents.setdefault(owner["uid"], {})[uid] = None

    def _disown(self, uid: str, meta: JSON) -> None:
        for owner in meta.get("ownerReferences") or ():
            self._dependents.get(owner["uid"], {}).pop(uid, None)

    def _gone(self, uid: str) -> None:
        known = self._objects.pop(uid, None)
        for dependent in self._dependents.pop(uid, ()):
            self._soon(dependent)
        if known is not None:
            self._disown(uid, known[1]["metadata"])
            for owner in known[1]["metadata"].get("ownerReferences") or ():
                if _FOREGROUND in self._finalizers(owner["uid"]):
                    self._soon(owner["uid"])

    def _soon(self, uid: str, seconds: float = LATENCY_SECONDS) -> None:
        self._clock.after(seconds, lambda: self._process(uid))

    def _process(self, uid: str) -> None:
        if uid not in self._objects:
            return
        resource, obj = self._objects[uid]
        try:
            if "deletionTimestamp" in obj["metadata"]:
                self._release(resource, obj)
            elif obj["metadata"].get("ownerReferences"):
                self._collect(resource, obj)
        except APIError as error:
            if error.code != 404:
                self._soon(uid, RETRY_SECONDS)
        except CallTimeoutError:
            self._soon(uid, RETRY_SECONDS)

    def _collect(self, resource: str, obj: JSON) -> None:
        """Delete an object whose owners are all gone; drop references to those that are."""
        meta = obj["metadata"]
        owners = meta["ownerReferences"]
        waiting = [o for o in owners if _FOREGROUND in self._finalizers(o["uid"])]
        gone = [o for o in owners if not self._exists(o["uid"])]
        solid = [o for o in owners if o not in waiting and o not in gone]
        if solid:
            if gone or waiting:
                self._patch(resource, obj, {"ownerReferences": solid})
            return
        policy = "Foreground" if waiting and self._dependents.get(meta["uid"]) else "Background"
        for finalizer in meta.get("finalizers") or ():
            policy = _POLICIES.get(finalizer, policy)
        self._api.delete(
            resource,
            meta.get("namespace", ""),
            meta["name"],
            uid=meta["uid"],
            propagation_policy=policy,
            user=USER,
        )

    def _release(self, resource: str, obj: JSON) -> None:
        """Do for an object being deleted what its finalizers ask the collector for."""
        uid = obj["metadata"]["uid"]
        finalizers = obj["metadata"].get("finalizers") or []
        dependents = [d for d in self._dependents.get(uid, ()) if d in self._objects]
        if _ORPHAN in finalizers:
            for dependent in dependents:
                kind, child = self._objects[dependent]
                owners = child["metadata"].get("ownerReferences") or ()
                self._patch(
                    kind, child, {"ownerReferences": [o for o in owners if o["uid"] != uid]}
                )
            self._without(resource, obj, _ORPHAN)
        elif _FOREGROUND in finalizers:
            if not any(self._blocks(dependent, uid) for dependent in dependents):
                self._without(resource, obj, _FOREGROUND)
            for dependent in dependents:
                self._soon(dependent, 0)

    def _blocks(self, dependent: str, uid: str) -> bool:
        owners = self._objects[dependent][1]["metadata"].get("ownerReferences") or ()
        return any(o["uid"] == uid and o.get("blockOwnerDeletion") for o in owners)

    def _without(self, resource: str, obj: JSON, finalizer: str) -> None:
        kept = [f for f in obj["metadata"].get("finalizers") or () if f != finalizer]
        self._patch(resource, obj, {"finalizers": kept})

    def _patch(self, resource: str, obj: JSON, metadata: JSON) -> None:
        meta = obj["metadata"]
        patch = {"metadata": {"uid": meta["uid"], **metadata}}
        self._api.patch(resource, meta.get("namespace", ""), meta["name"], patch, user=USER)

    def _finalizers(self, uid: str) -> list[str]:
        known = self._objects.get(uid)
        if known is None or "deletionTimestamp" not in known[1]["metadata"]:
            return []
        return list(known[1]["metadata"].get("finalizers") or ())
