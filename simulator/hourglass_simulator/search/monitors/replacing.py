"""Pods come and go for a reason, and no faster than their back-off."""

from collections.abc import Iterable, Iterator, Mapping

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History, Key, key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import (
    FINALIZER,
    OPERATOR,
    has_ended,
    is_alive,
    is_leaving,
    performer_uid,
    template,
)

_BASE, _LIMIT = 10.0, 300.0
"""Seconds of the back-off after the first failure, and at most (docs/settings.md)."""
_WHOLE = 1.0
"""Seconds that times in objects may be off: they are whole."""
_PATIENCE = 120.0
"""Seconds until every operator must have seen a change of the spec, a stale one too."""
_KNOWN = 60.0
"""Seconds after which every operator knows of a pod."""


class ReplacingMonitor(Monitor):
    """Creation waits for the finalizer and the back-off; what is as wanted is not deleted."""

    oracle = "replacing"

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._held: set[str] = set()
        """Uids of Performers that have had the finalizer."""
        self._specified: dict[Key, float] = {}
        """When the spec of a Performer changed last."""
        self._strategies: dict[Key, float] = {}
        """When the upgrade strategy of a Performer was changed last, a start included."""

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {"performers": self._performer, "pods": self._pod}

    def _performer(self, seen: Seen) -> Iterable[Mismatch]:
        meta = seen.object["metadata"]
        if FINALIZER in (meta.get("finalizers") or ()):
            self._held.add(meta["uid"])
        before = seen.before
        if before is None or before["metadata"].get("generation") != meta.get("generation"):
            self._specified[key_of(seen.object)] = seen.time
        if before is None:
            self._strategies[key_of(seen.object)] = -_PATIENCE
        elif before["spec"].get("upgradeStrategy") != seen.object["spec"].get("upgradeStrategy"):
            self._strategies[key_of(seen.object)] = seen.time
        return ()

    def _pod(self, seen: Seen) -> Iterator[Mismatch]:
        pod, before = seen.object, seen.before
        if seen.by != OPERATOR:
            return
        performer = self._performer_of(pod)
        if performer is None:
            return
        if before is None:
            yield from self._created(pod, performer, seen)
        elif is_leaving(pod) and not is_leaving(before) and not is_leaving(performer):
            yield from self._deleted(before, performer)

    def _created(self, pod: JSON, performer: JSON, seen: Seen) -> Iterator[Mismatch]:
        subject = "pod {}/{}".format(*key_of(pod))
        if performer["metadata"]["uid"] not in self._held:
            yield Mismatch(subject, "the Performer has the finalizer by then", "it has not")
        yield from self._beside_others(pod, performer, seen)
        stem, _, number = pod["metadata"]["name"].rpartition("-")
        failed = self.history.get("pods", (key_of(pod)[0], f"{stem}-{int(number) - 1}"))
        if failed is None or is_leaving(failed) or not has_ended(failed):
            return
        if performer_uid(failed) != performer_uid(pod):
            return
        age = seen.unix - time.parse(failed["metadata"]["creationTimestamp"]).timestamp()
        least = min(_LIMIT, _BASE * 2 ** (int(number) - 1))
        if age < least - _WHOLE:
            expected = f"the pod that failed before it is at least {least:g} s old"
            yield Mismatch(subject, expected, f"it is {age:.1f} s old")

    def _beside_others(self, pod: JSON, performer: JSON, seen: Seen) -> Iterator[Mismatch]:
        """Recreate frees what the old pods have before it makes a new one."""
        strategy = (performer["spec"].get("upgradeStrategy") or {}).get("type")
        key = key_of(performer)
        if strategy != "Recreate" or key not in self._strategies:
            return
        if seen.time - self._strategies[key] < _PATIENCE:
            return
        others = [
            other
            for resource, other in self.history.dependents(key)
            if resource == "pods" and performer_uid(other) == performer["metadata"]["uid"]
        ]
        if any(is_alive(other) and template(other) == template(pod) for other in others):
            return
        for other in others:
            meta = other["metadata"]
            age = seen.unix - time.parse(meta["creationTimestamp"]).timestamp()
            # One that strangers hold may have ended; one that is new may not be known yet.
            is_there = not has_ended(other) and not meta.get("finalizers") and age > _KNOWN
            if is_there and is_leaving(other) and template(other) != template(pod):
                subject = "pod {}/{}".format(*key_of(pod))
                yield Mismatch(
                    subject, "Recreate waits until the old pods have ended", meta["name"]
                )

    def _deleted(self, pod: JSON, performer: JSON) -> Iterator[Mismatch]:
        """A pod of the template that is wanted, and that no other has taken the place of."""
        key = key_of(performer)
        status = performer.get("status") or {}
        if status.get("templateHash") != template(pod) or not template(pod):
            return
        if self.is_news(pod):
            return
        is_seen = status.get("observedGeneration") == performer["metadata"]["generation"]
        if not is_seen or self.history.now - self._specified.get(key, -_PATIENCE) < _PATIENCE:
            return
        if not (pod.get("spec") or {}).get("nodeName"):
            return
        others = (
            other
            for resource, other in self.history.dependents(key)
            if resource == "pods" and other["metadata"]["name"] != pod["metadata"]["name"]
        )
        if any(is_alive(other) and template(other) == template(pod) for other in others):
            return
        subject = "pod {}/{}".format(*key_of(pod))
        state = "failed" if has_ended(pod) else "is as wanted"
        yield Mismatch(subject, f"what {state} stays until it has a successor", "it was deleted")

    def _performer_of(self, pod: JSON) -> JSON | None:
        uid = performer_uid(pod)
        for owner in pod["metadata"].get("ownerReferences") or ():
            found = self.history.get("performers", (key_of(pod)[0], owner["name"]))
            if found is not None and found["metadata"]["uid"] == uid:
                return found
        return None
