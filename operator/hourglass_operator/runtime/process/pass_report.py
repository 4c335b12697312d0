"""What passes say about Performers and the operator: metrics and log lines."""

import logging
from collections.abc import Sequence

from hourglass_kube import time
from hourglass_operator.controller import Outcome, Pass
from hourglass_operator.controller.views import Key, PerformerView
from hourglass_operator.runtime.process.metrics import Metrics
from hourglass_operator.runtime.workers.workers import PassObserver
from hourglass_statemachine import Phase

logger = logging.getLogger(__name__)


class PassReport(PassObserver):
    """Metrics and log lines of passes.

    It times the first start of each new Performer, and counts how upgrades end.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._passes = {
            result: metrics.passes.labels(result)
            for result in ("unchanged", "written", "failed", "error")
        }
        self._new: dict[Key, float] = {}
        """Creation (seconds) of those that have been new to this process and never served."""
        self._number = 0

    def begun(self, waited: float) -> None:
        """See PassObserver."""
        self._number += 1
        self._metrics.queue_latency.observe(waited)

    def failed(self) -> None:
        """See PassObserver."""
        self._passes["error"].inc()

    def ended(
        self,
        done: Pass,
        outcomes: Sequence[Outcome],
        before: PerformerView | None,
        now: float,
    ) -> None:
        """See PassObserver."""
        if not outcomes:
            self._passes["unchanged"].inc()
        else:
            self._metrics.pass_duration.observe(now - done.began)
            self._passes["written" if outcomes[-1].succeeded else "failed"].inc()
            _log(done, outcomes, self._number)
        self._follow(done.key, outcomes, before, now)

    def _follow(
        self, key: Key, outcomes: Sequence[Outcome], before: PerformerView | None, now: float
    ) -> None:
        if before is None or before.deleted is not None:
            self._new.pop(key, None)
            return
        if not before.ready_reason:
            self._new[key] = before.created
        after = _written_status(outcomes)
        if after is None:
            return
        phase = after.get("phase")
        if phase == Phase.RUNNING and key in self._new:
            self._metrics.time_to_running.observe(max(0.0, now - self._new.pop(key)))
        if before.phase == Phase.UPGRADING and phase == Phase.FAILED:
            self._metrics.upgrades.labels("failed").inc()
        elif before.phase == Phase.UPGRADING and phase == Phase.RUNNING:
            upgraded = _moment(after.get("lastUpgrade")) != _moment(before.status().last_upgrade)
            self._metrics.upgrades.labels("succeeded" if upgraded else "reverted").inc()


def _moment(text: str | None) -> float | None:
    return time.parse(text).timestamp() if text else None


def _written_status(outcomes: Sequence[Outcome]) -> dict[str, str] | None:
    """The status that the pass has written, None if it has not."""
    for outcome in outcomes:
        if outcome.write.subresource == "status" and outcome.succeeded and outcome.body:
            status: dict[str, str] = outcome.body.get("status") or {}
            return status
    return None


def _log(due: Pass, outcomes: Sequence[Outcome], number: int) -> None:
    fields = {"performer": "/".join(due.key), "pass_id": number}
    if logger.isEnabledFor(logging.INFO):
        done = [_described(outcome) for outcome in outcomes if outcome.succeeded]
        steps = due.plan.steps
        phases = [str(steps[0].source), *(str(step.dest) for step in steps)] if steps else []
        if done:
            parts = [" → ".join(phases), ", ".join(done)]
            logger.info("%s", ": ".join(part for part in parts if part), extra=fields)
    for outcome in outcomes:
        if not outcome.succeeded:
            answer = f"{outcome.code} {outcome.reason}: {outcome.message}"
            logger.warning("%s: %s", _described(outcome), answer, extra=fields)


def _described(outcome: Outcome) -> str:
    write = outcome.write
    resource = "/".join(part for part in (write.resource, write.subresource) if part)
    return f"{write.verb} {resource} {write.name}"
