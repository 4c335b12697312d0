"""Takes passes from the controller and performs their writes, many Performers at once."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from hourglass_operator.controller import Controller, Outcome, Pass, Write
from hourglass_operator.runtime.act import act
from hourglass_operator.runtime.api import Caller
from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.metrics import Metrics
from hourglass_operator.runtime.progress import Progress

logger = logging.getLogger(__name__)

_IDLE = 5.0
"""Seconds after which the clock is looked at though nothing is due."""
_BATCH = 50
"""Passes after which others (the election, probes) get their turn."""


class Leadership(Protocol):
    """Whether this process may write."""

    def remaining(self) -> float:
        """Seconds for which it may; 0 if it may not."""
        ...


class Workers:
    """At most `limit` passes with writes at once, never two over the same Performer."""

    def __init__(
        self,
        controller: Controller,
        api: Caller,
        leadership: Leadership,
        clock: Clock,
        metrics: Metrics,
        *,
        limit: int,
        request_timeout: float,
        ready: Callable[[], bool],
    ) -> None:
        self._controller = controller
        self._api = api
        self._leadership = leadership
        self._clock = clock
        self._metrics = metrics
        self._progress = Progress(metrics)
        self._limit = limit
        self._request_timeout = request_timeout
        self._ready = ready
        self._active: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._able_since: float | None = None
        self._passes = 0
        metrics.queue_depth.set_function(self._waiting)

    def wake(self) -> None:
        """Something may be due earlier than it was."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; writes under way go on."""
        while True:
            self._woken.clear()
            jump = self._clock.follow()
            if jump:
                logger.warning("the clock was set by %+.1f s; looking at everything anew", jump)
                self._controller.forget(self._clock.now())
                self._able_since = None
            if self._begin():
                await asyncio.sleep(0)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._until_due()):
                    await self._woken.wait()

    async def drain(self, timeout: float) -> bool:
        """Let the passes under way end; whether all have in time. Others are broken off."""
        if not self._active:
            return True
        _, left = await asyncio.wait(self._active, timeout=timeout)
        for task in left:
            task.cancel()
        return not left

    def _able(self) -> bool:
        return self._ready() and self._leadership.remaining() > 0

    def _may_begin(self) -> bool:
        return len(self._active) < self._limit and self._able()

    def _waiting(self) -> int:
        return self._controller.queue.waiting(self._clock.now()) if self._able() else 0

    def _until_due(self) -> float:
        due = self._controller.queue.next_due()
        if due is None or not self._may_begin():
            return _IDLE
        return min(_IDLE, max(0.0, due - self._clock.now()))

    def _begin(self) -> bool:
        """Begin passes that are due; whether more may be due at this moment."""
        if not self._able():
            self._able_since = None
            return False
        if self._able_since is None:
            self._able_since = self._clock.now()
        for _ in range(_BATCH):
            now = self._clock.now()
            due_at = self._controller.queue.next_due()
            if due_at is None or due_at > now or not self._may_begin():
                return False
            # For a standby passes are due for hours; only a leader lets them wait.
            self._metrics.queue_latency.observe(now - max(due_at, self._able_since))
            try:
                due = self._controller.take(now)
            except Exception:
                logger.exception("a pass failed; it is tried again")
                self._metrics.passes.labels("error").inc()
                continue
            if due is None:
                return False
            self._passes += 1
            if due.plan.writes:
                task = asyncio.create_task(self._perform(due, self._passes))
                self._active.add(task)
                task.add_done_callback(self._ended)
            else:
                self._controller.finish(due, (), now)
                self._metrics.passes.labels("unchanged").inc()
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._active.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a pass broke off", exc_info=task.exception())
        self.wake()

    async def _perform(self, due: Pass, number: int) -> None:
        started = self._clock.now()
        outcomes: list[Outcome] = []
        before = self._controller.cache.performers.get(due.key)
        try:
            for write in due.plan.writes:
                outcomes.append(await self._write(write))
                if not outcomes[-1].succeeded:
                    break
        finally:
            now = self._clock.now()
            self._controller.finish(due, outcomes, now)
            self._metrics.pass_duration.observe(now - started)
        failed = not outcomes[-1].succeeded
        self._metrics.passes.labels("failed" if failed else "written").inc()
        self._progress.passed(due, outcomes, before, now)
        _log(due, outcomes, number)

    async def _write(self, write: Write) -> Outcome:
        # Asked before each write: this process may have been stopped for a while.
        remaining = self._leadership.remaining()
        if remaining <= 0:
            return Outcome(write, 0, "NotLeading", "this replica does not lead any more")
        return await act(self._api, write, min(self._request_timeout, remaining))


def _log(due: Pass, outcomes: Sequence[Outcome], number: int) -> None:
    fields = {"performer": "/".join(due.key), "pass_id": number}
    done = [_words(outcome.write) for outcome in outcomes if outcome.succeeded]
    phases = [str(step.dest) for step in due.plan.steps]
    if phases:
        phases.insert(0, str(due.plan.steps[0].source))
    if done:
        told = [" → ".join(phases), ", ".join(done)]
        logger.info("%s", ": ".join(part for part in told if part), extra=fields)
    for outcome in outcomes:
        if not outcome.succeeded:
            answer = f"{outcome.code} {outcome.reason}: {outcome.message}"
            logger.warning("%s: %s", _words(outcome.write), answer, extra=fields)


def _words(write: Write) -> str:
    resource = "/".join(part for part in (write.resource, write.subresource) if part)
    return f"{write.verb} {resource} {write.name}"
