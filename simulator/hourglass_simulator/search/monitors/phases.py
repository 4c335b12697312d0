"""Which phase the operator may write after which (docs/phases.md)."""

from collections.abc import Iterator, Mapping

from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History, key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import OPERATOR

_STEPS = {
    "Pending": ("Running", "Failed", "Upgrading", "Terminating"),
    "Running": ("Pending", "Failed", "Upgrading", "Terminating"),
    "Upgrading": ("Running", "Failed", "Pending", "Terminating"),
    "Failed": ("Running", "Pending", "Upgrading", "Terminating"),
    "Terminating": (),
}
_WINDOW, _MOST = 5.0, 6
"""Seconds in which a phase changes so many times at most: three times, and as often after a start
of the operator."""


class PhasesMonitor(Monitor):
    """Each step is one of the table, a Performer that goes is Terminating, and none flaps."""

    oracle = "phases"

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._changed: dict[str, list[float]] = {}

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {"performers": self._performer}

    def _performer(self, seen: Seen) -> Iterator[Mismatch]:
        before, now = seen.before, seen.object
        if before is None or seen.by != OPERATOR or seen.type == "DELETED":
            return
        was, phase = (obj.get("status", {}).get("phase", "Pending") for obj in (before, now))
        if was == phase:
            return
        subject = "performer {}/{}".format(*key_of(now))
        # What a stranger has written is none of the operator's steps.
        steps = _STEPS.get(was)
        gone = "deletionTimestamp" in now["metadata"]
        if steps is not None and phase not in steps and (gone or was != "Terminating"):
            yield Mismatch(subject, f"a phase that may follow {was}", phase)
        if gone != (phase == "Terminating"):
            expected = "Terminating" if gone else "not Terminating, as nobody deletes it"
            yield Mismatch(subject, f"phase {expected}", phase)
        moments = self._changed.setdefault(now["metadata"]["uid"], [])
        moments[:] = [at for at in moments if at > seen.time - _WINDOW] + [seen.time]
        if len(moments) > _MOST and not gone:
            within = f"at most {_MOST} changes of phase in {_WINDOW:g} s"
            yield Mismatch(subject, within, f"{len(moments)}, to {phase}")
