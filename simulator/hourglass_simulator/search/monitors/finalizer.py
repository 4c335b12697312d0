"""The finalizer keeps a deleted Performer until its pods have ended."""

from collections.abc import Iterator, Mapping

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import FINALIZER, OPERATOR, has_ended, performer_uid

_SLACK = 55.0
"""Seconds after a pod's grace period for which its end is still waited for, and some to spare."""


class FinalizerMonitor(Monitor):
    """Only the end of every pod releases it, or that a pod is long overdue."""

    oracle = "finalizer"

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {"performers": self._performer}

    def _performer(self, seen: Seen) -> Iterator[Mismatch]:
        before, now = seen.before, seen.object
        if before is None or seen.by != OPERATOR or not _has(before):
            return
        if seen.type != "DELETED" and _has(now):
            return
        key = key_of(now)
        subject = "performer {}/{}".format(*key)
        if "deletionTimestamp" not in before["metadata"]:
            yield Mismatch(subject, "the finalizer stays until it is deleted", "it was removed")
            return
        for resource, pod in self.history.dependents(key):
            mine = resource == "pods" and performer_uid(pod) == now["metadata"]["uid"]
            holds = mine and not has_ended(pod) and not _is_overdue(pod, seen.unix)
            if holds and not self.is_news(pod):
                name = pod["metadata"]["name"]
                yield Mismatch(subject, "the finalizer stays until its pods have ended", name)


def _has(performer: JSON) -> bool:
    return FINALIZER in (performer["metadata"].get("finalizers") or ())


def _is_overdue(pod: JSON, now: float) -> bool:
    deleted = pod["metadata"].get("deletionTimestamp")
    return deleted is not None and now >= time.parse(deleted).timestamp() + _SLACK
