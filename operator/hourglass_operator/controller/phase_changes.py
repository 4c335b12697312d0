"""How often phases have changed of late: one that changes again and again rests in between.

Two replicas that lead for a moment and see different things would contradict each other as fast as
the API server answers.
"""

from hourglass_operator.controller.views import Key

CHANGES = 3
"""Changes of a phase that are written at once; the next one comes when the first is `period` old.

A pod that is lost and replaced takes two.
"""


class PhaseChanges:
    """The latest changes of each Performer's phase, by this process or another."""

    def __init__(self, period: float) -> None:
        """`period`: in seconds."""
        self._period = period
        self._of: dict[Key, tuple[float, ...]] = {}

    def add(self, key: Key, now: float) -> None:
        """The phase has changed; what was long ago is forgotten."""
        latest = (*self._of.pop(key, ()), now)[-CHANGES:]
        while self._of and now - self._of[oldest := next(iter(self._of))][-1] > self._period:
            del self._of[oldest]
        self._of[key] = latest

    def rests_until(self, key: Key) -> float | None:
        """Until when (seconds) the phase is not to be changed again; None if it may be."""
        latest = self._of.get(key, ())
        return latest[0] + self._period if len(latest) == CHANGES else None

    def clear(self) -> None:
        """Forget everything."""
        self._of.clear()
