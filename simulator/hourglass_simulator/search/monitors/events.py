"""Events about a Performer record transitions, each once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import OPERATOR, PERFORMER

_OF_THE_SPEC = ("GPUCountIgnored", "RepairUndone", "TEETypeMissing")
"""They report what no condition says."""


class EventsMonitor(Monitor):
    """As many of a reason as there were statuses in which it was new."""

    oracle = "events"

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._reached: dict[str, Counter[str]] = {}
        self._recorded: dict[str, Counter[str]] = {}

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {"events": self._event, "performers": self._performer}

    def _performer(self, seen: Seen) -> Iterable[Mismatch]:
        before, now = seen.before, seen.object
        if seen.type == "DELETED" or seen.by != OPERATOR:
            return ()
        was, is_ = ((obj or {}).get("status") or {} for obj in (before, now))
        if was is is_:
            return ()
        reached = self._reached.setdefault(now["metadata"]["uid"], Counter())
        if was.get("phase") != is_.get("phase"):
            reached[is_["phase"]] += 1
        new = _reasons(is_) - _reasons(was)
        if is_.get("phase") == "Failed" != was.get("phase"):
            new |= _reasons(is_)
        reached.update(new)
        return ()

    def _event(self, seen: Seen) -> Iterator[Mismatch]:
        about, reason = seen.object.get("involvedObject") or {}, seen.object.get("reason", "")
        if seen.type != "ADDED" or seen.by != OPERATOR or about.get("kind") != PERFORMER:
            return
        if reason in _OF_THE_SPEC:
            return
        recorded = self._recorded.setdefault(about["uid"], Counter())
        recorded[reason] += 1
        reached = self._reached.get(about["uid"], Counter())[reason]
        if recorded[reason] > reached:
            subject = f"performer {about['namespace']}/{about['name']}"
            expected = f"an Event {reason} each time that it is new ({reached})"
            yield Mismatch(subject, expected, f"{recorded[reason]}: {seen.object.get('message')}")


def _reasons(status: JSON) -> set[str]:
    return {found["reason"] for found in status.get("conditions") or ()}
