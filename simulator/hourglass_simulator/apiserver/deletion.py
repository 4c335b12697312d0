"""What a deletion does to an object: grace periods, finalizers, propagation.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go
https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
"""

from typing import NamedTuple

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.strategy import Strategy

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_FINALIZER = {"Orphan": ORPHAN, "Foreground": FOREGROUND}


class Deletion(NamedTuple):
    """`obj` is to be stored unless it is the one that was asked about; then it goes, if `gone`."""

    obj: JSON
    gone: bool


def delete(
    obj: JSON, strategy: Strategy, requested: int | None, policy: str | None, now: float
) -> Deletion:
    """A deletion at `now` (Unix time) with a grace period in seconds and a propagation policy."""
    meta = obj["metadata"]
    if policy is None and strategy.resource.orphans_by_default:
        policy = "Orphan"
    period = strategy.grace_period(obj, requested)
    graceful = period is not None
    if graceful and "deletionTimestamp" in meta:
        remaining = meta.get("deletionGracePeriodSeconds") or 0
        if remaining and (requested is None or requested >= remaining):
            return Deletion(obj, gone=False)
        graceful = bool(remaining)
        if graceful and requested is not None:
            meta = _shortened(meta, remaining, requested, now)
            period = requested
    elif period is not None:
        meta = _marked(meta, time.from_seconds(now + period), period)
    meta = _propagating(meta, policy, collected=strategy.resource.plural != "events")
    pending = bool(meta.get("finalizers"))
    if not graceful and pending:
        meta = _marked_at_once(meta, now)
    result = obj if meta is obj["metadata"] else {**obj, "metadata": meta}
    if graceful:
        return Deletion(result, gone=not pending and not period)
    return Deletion(result if pending else obj, gone=not pending)


def _marked(meta: JSON, timestamp: str, period: int) -> JSON:
    marked = {
        **meta,
        "deletionTimestamp": timestamp,
        "deletionGracePeriodSeconds": period,
    }
    if "deletionTimestamp" not in meta and "generation" in meta:
        marked["generation"] = meta["generation"] + 1
    return marked


def _marked_at_once(meta: JSON, now: float) -> JSON:
    timestamp = time.from_seconds(now)
    if "deletionTimestamp" in meta:
        timestamp = min(timestamp, meta["deletionTimestamp"])
        if timestamp == meta["deletionTimestamp"] and meta.get("deletionGracePeriodSeconds") == 0:
            return meta
    return _marked(meta, timestamp, 0)


def _shortened(meta: JSON, remaining: int, period: int, now: float) -> JSON:
    began = time.parse(meta["deletionTimestamp"]).timestamp() - remaining
    when = began + period
    if when < now:
        when = now
        period = min(period, 1)
    return _marked(meta, time.from_seconds(when), period)


def _propagating(meta: JSON, policy: str | None, *, collected: bool) -> JSON:
    """With the finalizer of the propagation policy; without a policy those that are set stay."""
    if policy is None or not collected:
        return meta
    before = meta.get("finalizers") or []
    after = [name for name in before if name not in _FINALIZER.values()]
    if policy in _FINALIZER:
        after.append(_FINALIZER[policy])
    if sorted(after) == sorted(before):
        return meta
    if after:
        return {**meta, "finalizers": after}
    return {name: value for name, value in meta.items() if name != "finalizers"}
