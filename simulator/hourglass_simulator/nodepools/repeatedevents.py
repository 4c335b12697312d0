"""Events of scalers: what was said a moment ago is not said again."""

from hourglass_kube.types import JSON
from hourglass_simulator.clock import Clock
from hourglass_simulator.recorder import EventRecorder, reference

SAME_SECONDS = 300.0
"""An Event that says the same is not repeated for so long."""


class RepeatedEvents:
    """For a component that looks at the same objects again and again."""

    def __init__(self, clock: Clock, recorder: EventRecorder) -> None:
        self._clock = clock
        self._recorder = recorder
        self._said: dict[tuple[str, str, str], float] = {}

    def say(self, about: JSON, kind: str, reason: str, message: str) -> None:
        """Record an Event about an object, unless it was recorded shortly before."""
        key = (about["metadata"]["uid"], reason, message)
        if self._clock.now - self._said.get(key, -SAME_SECONDS) >= SAME_SECONDS:
            self._said[key] = self._clock.now
            self._recorder.event(reference(about), kind, reason, message)
