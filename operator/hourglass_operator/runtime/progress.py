"""What passes tell about Performers' ways through their phases, as metrics."""

from collections.abc import Sequence

from hourglass_operator.controller import Outcome, Pass
from hourglass_operator.controller.views import Key, PerformerView, seconds
from hourglass_operator.runtime.metrics import Metrics
from hourglass_statemachine import Phase


class Progress:
    """Times the first start of each new Performer and counts how upgrades end."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._new: dict[Key, float] = {}
        """Creation (seconds) of those that have been new to this process and never served."""

    def passed(
        self, done: Pass, outcomes: Sequence[Outcome], before: PerformerView | None, now: float
    ) -> None:
        """A pass has ended; `before` is the Performer as the pass saw it."""
        if before is None or before.deleted is not None:
            self._new.pop(done.key, None)
            return
        stored = before.status()
        if not stored.conditions:
            self._new[done.key] = before.created
        after = _status(outcomes)
        if after is None:
            return
        phase, earlier = after.get("phase"), stored.phase
        if phase == Phase.RUNNING and done.key in self._new:
            self._metrics.time_to_running.observe(max(0.0, now - self._new.pop(done.key)))
        if earlier == Phase.UPGRADING and phase == Phase.FAILED:
            self._metrics.upgrades.labels("failed").inc()
        elif earlier == Phase.UPGRADING and phase == Phase.RUNNING:
            upgraded = seconds(after.get("lastUpgrade")) != seconds(stored.last_upgrade)
            self._metrics.upgrades.labels("succeeded" if upgraded else "reverted").inc()


def _status(outcomes: Sequence[Outcome]) -> dict[str, str] | None:
    """The status that the pass has written, None if it has not."""
    for outcome in outcomes:
        if outcome.write.subresource == "status" and outcome.succeeded and outcome.body:
            status: dict[str, str] = outcome.body.get("status") or {}
            return status
    return None
