"""Metadata that the API server itself writes: identity, versions, deletion."""

import random
from typing import Any
from uuid import UUID

from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.clock import Clock

JSON = dict[str, Any]

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_KEPT = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
)
_POD_ENDS = ("Succeeded", "Failed")


class Metadata:
    """Stamps objects; its random numbers are its own, so that a seed gives the same uids."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._random = rng

    def stamped(self, kind: Resource, obj: JSON, namespace: str) -> JSON:
        """A new object with its identity; raises APIError 400 or 422 for a bad name."""
        meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _KEPT}
        meta.pop("resourceVersion", None)
        given = meta.get("namespace")
        if kind.namespaced:
            if given and given != namespace:
                raise errors.bad_request(
                    "the namespace of the provided object does not match the namespace sent on the"
                    " request"
                )
            meta["namespace"] = namespace
        if not meta.get("name"):
            if not meta.get("generateName"):
                raise errors.invalid(
                    kind,
                    "",
                    "metadata.name",
                    "FieldValueRequired",
                    "Required value: name or generateName is required",
                )
            suffix = "".join(self._random.choice(_SUFFIX) for _ in range(5))
            meta["name"] = meta["generateName"] + suffix
        meta["uid"] = str(UUID(int=self._random.getrandbits(128), version=4))
        meta["creationTimestamp"] = self._clock.timestamp()
        if "spec" in obj and kind.plural not in ("services", "nodes", "namespaces"):
            meta["generation"] = 1
        return {**obj, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta}

    def carried_over(self, kind: Resource, stored: JSON, obj: JSON, subresource: str) -> JSON:
        """An update with what it cannot change taken from the stored object."""
        before = stored["metadata"]
        if subresource == "status":
            # Of the metadata, status updates change nothing that matters here.
            return {**stored, "status": obj["status"]} if "status" in obj else stored
        meta = {k: v for k, v in obj["metadata"].items() if k not in _KEPT}
        meta |= {k: before[k] for k in _KEPT if k in before}
        meta |= {k: before[k] for k in ("name", "namespace", "resourceVersion") if k in before}
        if not meta.get("finalizers"):
            meta.pop("finalizers", None)
        self._check_finalizers(kind, before, meta)
        if "generation" in before and _changed(stored, obj, "spec"):
            meta["generation"] = before["generation"] + 1
        new = {**obj, "apiVersion": kind.api_version, "kind": kind.kind}
        new["metadata"] = before if meta == before else meta
        if kind.has_status:
            new.pop("status", None)
            if "status" in stored:
                new["status"] = stored["status"]
        return new

    def deleting(
        self, kind: Resource, stored: JSON, grace: int | None, propagation: str | None
    ) -> JSON:
        """The object marked for deletion; the very same if it is marked as much already."""
        meta = stored["metadata"]
        finalizers = list(meta.get("finalizers") or ())
        extra = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(propagation or "")
        marked = "deletionTimestamp" in meta
        if extra and extra not in finalizers and not marked:
            finalizers.append(extra)
        seconds = self._grace(kind, stored, grace)
        if marked and seconds >= meta.get("deletionGracePeriodSeconds", 0):
            return stored
        new = {
            **meta,
            "deletionTimestamp": self._clock.timestamp_after(seconds),
            "deletionGracePeriodSeconds": seconds,
        }
        if finalizers:
            new["finalizers"] = finalizers
        if "generation" in meta and not marked:
            new["generation"] = meta["generation"] + 1
        return {**stored, "metadata": new}

    @staticmethod
    def _grace(kind: Resource, stored: JSON, grace: int | None) -> int:
        """Only pods end gracefully, and only those that a kubelet may be running."""
        if kind.plural != "pods":
            return 0
        spec, status = stored["spec"], stored.get("status") or {}
        if not spec.get("nodeName") or status.get("phase") in _POD_ENDS:
            return 0
        return int(spec["terminationGracePeriodSeconds"] if grace is None else grace)

    @staticmethod
    def _check_finalizers(kind: Resource, before: JSON, after: JSON) -> None:
        if "deletionTimestamp" not in before:
            return
        old, new = before.get("finalizers") or (), after.get("finalizers") or ()
        added = [name for name in new if name not in old]
        if added:
            listed = ", ".join(f'"{name}"' for name in added)
            raise errors.invalid(
                kind,
                before["name"],
                "metadata.finalizers",
                "FieldValueForbidden",
                "Forbidden: no new finalizers can be added if the object is being deleted, found"
                f" new finalizers []string{{{listed}}}",
            )


def released(obj: JSON) -> bool:
    """Deleted, and nothing keeps the object: no grace period to wait for and no finalizer."""
    meta = obj["metadata"]
    return (
        "deletionTimestamp" in meta
        and not meta.get("finalizers")
        and not meta.get("deletionGracePeriodSeconds")
    )


def _changed(before: JSON, after: JSON, field: str) -> bool:
    old, new = before.get(field), after.get(field)
    return old is not new and old != new
