"""Takes passes from the controller and performs their writes, many Performers at once."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any

from hourglass_operator.controller import Controller, Outcome, Pass, Write
from hourglass_operator.controller.plan import NOT_LEADING, Found
from hourglass_operator.controller.views import PerformerView
from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.leadership.may_write import MayWrite
from hourglass_operator.runtime.workers.event_writer import EventWriter
from hourglass_operator.runtime.workers.read import perform_read
from hourglass_operator.runtime.workers.write import perform
from hourglass_operator.transport.calls import Caller

logger = logging.getLogger(__name__)

_SLICE = 0.02
"""Seconds of passes after which others (informers, the election, probes) get their turn."""
_LONGEST_SLEEP = 10.0
"""Seconds. Timers of an event loop stand still while the machine is suspended, what is due does
not: a pass that came due meanwhile begins so long after at most."""
_EVENT_FLUSH = 2.0
"""Seconds that Events are given at the end: the next leader waits meanwhile."""
_ROUNDING = 1e-6
"""Seconds since the epoch, as floats, are no more exact than this."""


class PassObserver:
    """Is notified of passes, for metrics and logs; does nothing by itself."""

    def begun(self, waited: float) -> None:
        """A pass begins that could have begun so many seconds ago."""

    def ended(
        self,
        done: Pass,
        outcomes: Sequence[Outcome],
        before: PerformerView | None,
        now: float,
    ) -> None:
        """A pass has ended; `before` is the Performer as the pass saw it, `now` is seconds."""

    def failed(self) -> None:
        """There is a mistake in the code: a pass, or taking in its outcome, has raised."""


class Workers:
    """At most `limit` passes with writes at once, never two over the same Performer."""

    def __init__(
        self,
        controller: Controller,
        caller: Caller,
        may_write: MayWrite,
        clock: Clock,
        observer: PassObserver,
        *,
        limit: int,
        request_timeout: float,
    ) -> None:
        self._controller = controller
        self._caller = caller
        self._may_write = may_write
        self._clock = clock
        self._observer = observer
        self._limit = limit
        self._request_timeout = request_timeout
        self._active: set[asyncio.Task[None]] = set()
        self._events = EventWriter(self._write, clock.steady, self.wake)
        self._woken = asyncio.Event()
        self._able_since: float | None = None

    def wake(self) -> None:
        """Something may be due earlier than it was, or this process may write by now."""
        self._woken.set()

    def restart_waiting(self) -> None:
        """What is due has waited for nothing so far: the clock was set, or this process leads."""
        self._able_since = None
        self.wake()

    def waiting(self) -> int:
        """How many passes are due and have not begun; 0 while this process may not write."""
        return self._controller.queue.waiting(self._clock.now()) if self._able() else 0

    async def run(self) -> None:
        """Work until cancelled; writes under way go on."""
        while True:
            self._woken.clear()
            if self._begin():
                await asyncio.sleep(0)
                continue
            if self._able():
                self._events.begin(busy=bool(self._active))
            alarm = self._alarm()
            await self._woken.wait()
            if alarm is not None:
                alarm.cancel()

    async def drain(self, timeout: float) -> bool:
        """Let the passes under way end; whether all have in time. Others are broken off.

        Events that wait are written if that is quick.
        """
        deadline = self._clock.steady() + timeout
        left = set(self._active)
        if left:
            _, left = await asyncio.wait(left, timeout=timeout)
        flushing = asyncio.create_task(self._events.flush())
        seconds = min(_EVENT_FLUSH, max(0.0, deadline - self._clock.steady()))
        _, unwritten = await asyncio.wait({flushing}, timeout=seconds)
        for task in (*left, *unwritten):
            task.cancel()
        return not left

    def _able(self) -> bool:
        return self._may_write.seconds() > 0

    def _alarm(self) -> asyncio.TimerHandle | None:
        """Wakes by when the next pass is due; None if only something else can bring one about."""
        due = self._controller.queue.next_due()
        if due is None or len(self._active) >= self._limit or not self._able():
            return None
        seconds = min(max(0.0, due - self._clock.now()) + _ROUNDING, _LONGEST_SLEEP)
        return asyncio.get_running_loop().call_later(seconds, self._woken.set)

    def _begin(self) -> bool:
        """Begin passes that are due; whether more may be due at this moment."""
        if not self._able():
            self._able_since = None
            return False
        if self._able_since is None:
            self._able_since = self._clock.now()
        loop = asyncio.get_running_loop()
        end = loop.time() + _SLICE
        while loop.time() <= end:
            now = self._clock.now()
            due_at = self._controller.queue.next_due()
            if due_at is None or due_at > now or len(self._active) >= self._limit:
                return False
            # For a standby passes are due for hours; only a leader lets them wait.
            self._observer.begun(now - max(due_at, self._able_since))
            try:
                due = self._controller.take(now)
            except Exception:
                logger.exception("a pass failed; it is made again")
                self._observer.failed()
                continue
            if due is None:
                return False
            before = self._controller.cache.performers.get(due.key)
            if due.plan.reads:
                self._start(self._read(due, before))
            elif due.plan.writes:
                self._start(self._perform(due, before))
            else:
                self._finish(due, (), before)
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._active.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._active.discard(task)
        self.wake()
        if not task.cancelled():
            task.result()

    async def _read(self, due: Pass, before: PerformerView | None) -> None:
        answers = [Found(read, None) for read in due.plan.reads]
        try:
            timeout = self._request_timeout
            answers = await asyncio.gather(
                *(perform_read(self._caller, read, timeout) for read in due.plan.reads)
            )
        finally:
            now = self._clock.now()
            self._controller.finish_reads(due, answers, now)
        self._observer.ended(due, (), before, now)

    async def _perform(self, due: Pass, before: PerformerView | None) -> None:
        outcomes: list[Outcome] = []
        try:
            for write in due.plan.writes:
                outcomes.append(await self._write(write))
                if not outcomes[-1].succeeded:
                    break
        except asyncio.CancelledError:
            self._finish(due, outcomes, before)
            raise
        self._finish(due, outcomes, before)

    def _finish(self, due: Pass, outcomes: Sequence[Outcome], before: PerformerView | None) -> None:
        now = self._clock.now()
        try:
            self._controller.finish(due, outcomes, now)
            if len(outcomes) == len(due.plan.writes) and all(each.succeeded for each in outcomes):
                self._events.add(due.plan.events)
            self._observer.ended(due, outcomes, before, now)
        except Exception:
            # A mistake over one Performer must not keep the others from their passes.
            logger.exception("the end of a pass over %s failed", "/".join(due.key))
            self._observer.failed()

    async def _write(self, write: Write) -> Outcome:
        remaining = self._may_write.seconds()
        if remaining <= 0:
            return Outcome(write, 0, NOT_LEADING, "this replica may not write any more")
        try:
            return await perform(self._caller, write, min(self._request_timeout, remaining))
        except Exception as error:
            # Whether it was made is not known: it counts as failed, and is made again.
            logger.exception("%s %s %s", write.verb, write.resource, write.name)
            return Outcome(write, 0, type(error).__name__, str(error))
