"""What serves is not taken while the upgrade strategy lets it be kept."""

from collections.abc import Iterable, Iterator, Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.backend import Write
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History, Key, key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import (
    OPERATOR,
    condition,
    is_alive,
    is_leaving,
    performer_uid,
    ready_pods,
)

_REFUSED = 403
_PATIENCE = 120.0
"""Seconds for which the operator may act on a strategy that it does not know to be changed."""


class ServingMonitor(Monitor):
    """The operator deletes a pod that serves only for one that has served as well.

    `Recreate` gives it up, and `Auto` where the successor finds no room.
    """

    oracle = "serving"

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._ready: dict[Key, frozenset[str]] = {}
        self._changed: dict[Key, float] = {}
        """When the strategy of a Performer was changed last."""
        self._served: set[tuple[str, str]] = set()
        """Namespace and name of pods that were ready endpoints."""
        self._refused: set[str] = set()
        """Namespaces in which the creation of a pod was refused."""

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {
            "endpointslices": self._slice,
            "performers": self._performer_changed,
            "pods": self._pod,
        }

    def wrote(self, write: Write) -> Iterable[Mismatch]:
        """Remember what was refused."""
        if (write.verb, write.resource, write.code) == ("create", "pods", _REFUSED):
            self._refused.add(write.namespace)
        return ()

    def _performer_changed(self, seen: Seen) -> Iterable[Mismatch]:
        if seen.before is not None and _strategy(seen.before) != _strategy(seen.object):
            self._changed[key_of(seen.object)] = seen.time
        return ()

    def _slice(self, seen: Seen) -> Iterable[Mismatch]:
        key = key_of(seen.object)
        ready = frozenset(ready_pods(seen.object)) if seen.type != "DELETED" else frozenset()
        self._ready[key] = ready
        self._served.update((key[0], name) for name in ready)
        return ()

    def _pod(self, seen: Seen) -> Iterator[Mismatch]:
        pod, before = seen.object, seen.before
        if seen.by != OPERATOR or before is None or is_leaving(before) or not is_leaving(pod):
            return
        key = key_of(pod)
        if not self._serves(key) or condition(before, "Ready") != "True":
            return
        performer = self._performer(before)
        if performer is None or is_leaving(performer):
            return
        strategy, owner = _strategy(performer), key_of(performer)
        if seen.time - self._changed.get(owner, -_PATIENCE) < _PATIENCE:
            return
        others = [
            other
            for resource, other in self.history.dependents(owner)
            if resource == "pods"
            and other["metadata"]["name"] != key[1]
            and performer_uid(other) == performer["metadata"]["uid"]
        ]
        if any(key_of(other) in self._served and is_alive(other) for other in others):
            return
        if strategy == "Recreate" or (strategy == "Auto" and self._lacks_room(key[0], others)):
            return
        subject = "performer {}/{}".format(*owner)
        expected = f"{strategy} keeps the pod that serves until another has served"
        yield Mismatch(subject, expected, f"{key[1]} was deleted")

    def _serves(self, pod: Key) -> bool:
        return any(pod[0] == each[0] and pod[1] in ready for each, ready in self._ready.items())

    def _performer(self, pod: JSON) -> JSON | None:
        uid = performer_uid(pod)
        for owner in pod["metadata"].get("ownerReferences") or ():
            found = self.history.get("performers", (key_of(pod)[0], owner["name"]))
            if found is not None and found["metadata"]["uid"] == uid:
                return found
        return None

    def _lacks_room(self, namespace: str, others: Iterable[JSON]) -> bool:
        waits = any(condition(other, "PodScheduled") == "False" for other in others)
        return waits or namespace in self._refused


def _strategy(performer: JSON) -> str:
    found: str = (performer["spec"].get("upgradeStrategy") or {}).get("type", "Auto")
    return found
