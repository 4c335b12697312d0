"""Nothing is left waiting for the operator's next look at everything (`resync-period`)."""

from collections.abc import Iterable, Iterator, Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.backend import Write
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History, Key, key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import FINALIZER, OPERATOR, is_leaving, performer_uid

_PATIENCE = 130.0
"""Seconds: watches are tried again after a minute at most, and some to spare."""
_OF_REFUSALS, _OF_FAILURES = 300.0, 60.0
"""Seconds after which what was refused, or has failed, is tried again at the latest."""
_REFUSED = (400, 403, 409, 422)
_SUCCEEDED = range(200, 300)


class AttentionMonitor(Monitor):
    """What is missing is made, and what is done is released, soon after nothing keeps it."""

    oracle = "attention"

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._lacks: dict[str, dict[Key, float]] = {"pods": {}, "services": {}}
        """Since when Performers have none."""
        self._free: dict[Key, float] = {}
        """Since when Performers that are deleted have no pods any more."""
        self._retried = 0.0
        """Until when a write that failed may wait."""

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {
            "performers": self._performer,
            "pods": lambda seen: self._dependent("pods", seen),
            "services": lambda seen: self._dependent("services", seen),
        }

    def wrote(self, write: Write) -> Iterable[Mismatch]:
        """Failures have a back-off."""
        if write.code not in _SUCCEEDED and write.resource != "events":
            back_off = _OF_REFUSALS if write.code in _REFUSED else _OF_FAILURES
            self._retried = max(self._retried, write.time + back_off)
        return ()

    def _performer(self, seen: Seen) -> Iterator[Mismatch]:
        key, now = key_of(seen.object), seen.object
        if seen.type == "ADDED":
            for lacking in self._lacks.values():
                lacking[key] = seen.time
            return
        released = seen.type == "DELETED" or not _is_held(now)
        if seen.before is not None and is_leaving(now) and not is_leaving(seen.before):
            for lacking in self._lacks.values():
                lacking.pop(key, None)
            if not self._has(key, "pods", now):
                self._free[key] = seen.time
        if released and seen.before is not None and _is_held(seen.before) and seen.by == OPERATOR:
            since = self._free.pop(key, None)
            if since is not None:
                yield from self._late(key, since, seen.time, "its finalizer was released")
        if seen.type == "DELETED":
            self._free.pop(key, None)
            for lacking in self._lacks.values():
                lacking.pop(key, None)

    def _dependent(self, resource: str, seen: Seen) -> Iterator[Mismatch]:
        uid = performer_uid(seen.object)
        for owner in seen.object["metadata"].get("ownerReferences") or ():
            key = (key_of(seen.object)[0], owner["name"])
            performer = self.history.get("performers", key)
            if performer is None or performer["metadata"]["uid"] != uid:
                continue
            if seen.type == "DELETED":
                name = seen.object["metadata"]["name"]
                if not self._has(key, resource, performer, without=name):
                    if not is_leaving(performer):
                        self._lacks[resource][key] = seen.time
                    elif resource == "pods":
                        self._free[key] = seen.time
            elif seen.type == "ADDED":
                self._free.pop(key, None)
                since = self._lacks[resource].pop(key, None)
                if since is not None and seen.by == OPERATOR:
                    yield from self._late(key, since, seen.time, f"it got one of {resource}")

    def _late(self, key: Key, since: float, now: float, what: str) -> Iterator[Mismatch]:
        waited = now - max(since, self.calm_since(), self._retried)
        if waited > _PATIENCE:
            subject = "performer {}/{}".format(*key)
            yield Mismatch(subject, "what is due is done soon", f"{what} after {waited:.0f} s")

    def _has(self, key: Key, resource: str, performer: JSON, without: str = "") -> bool:
        return any(
            of == resource
            and obj["metadata"]["name"] != without
            and performer_uid(obj) == performer["metadata"]["uid"]
            for of, obj in self.history.dependents(key)
        )


def _is_held(performer: JSON) -> bool:
    return FINALIZER in (performer["metadata"].get("finalizers") or ())
