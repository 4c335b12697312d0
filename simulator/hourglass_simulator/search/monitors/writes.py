"""The operator writes no more than it must."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from hourglass_simulator.scenario.backend import Write
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import OPERATOR

_WINDOW, _MOST = 60.0, 60
"""Seconds in which about one object at most so many writes are made, refused ones included."""


class WritesMonitor(Monitor):
    """No status is written that is there already, and nothing again and again."""

    oracle = "writes"

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._changes = 0
        self._moments: dict[tuple[str, str, str], deque[float]] = {}

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {"performers": self._changed}

    def _changed(self, seen: Seen) -> Iterable[Mismatch]:
        self._changes += seen.by == OPERATOR
        return ()

    def wrote(self, write: Write) -> Iterator[Mismatch]:
        """See Monitor."""
        subject = f"{write.resource[:-1]} {write.namespace}/{write.name}"
        if write.resource == "performers":
            changes, self._changes = self._changes, 0
            if write.code == 200 and not changes:
                yield Mismatch(
                    subject, "a write changes something", f"{write.verb} changed nothing"
                )
        if self.may_disagree:
            return
        moments = self._moments.setdefault((write.resource, write.namespace, write.name), deque())
        moments.append(write.time)
        while moments[0] <= write.time - _WINDOW:
            moments.popleft()
        if len(moments) > _MOST:
            expected = f"at most {_MOST} writes in {_WINDOW:g} s"
            yield Mismatch(subject, expected, f"{len(moments)}, the last a {write.verb}")
            moments.clear()
