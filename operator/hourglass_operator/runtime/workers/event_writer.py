"""Writes Events when nothing more urgent is to be written."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from hourglass_operator.controller import Outcome, Write

logger = logging.getLogger(__name__)

_QUIET = 1.0
"""Seconds without a pass that writes, after which a burst of work is over."""
_PATIENCE = 60.0
"""Seconds that an Event waits for the end of a burst, before it is written beside other work."""


class EventWriter:
    """One Event after the other when a burst of work is over: new Performers run sooner.

    As with client-go's recorder those that are refused are lost:
    https://pkg.go.dev/k8s.io/client-go/tools/record

    `write` makes the call, `steady` is a clock in seconds that nobody sets, `wake` is called when
    the next Event may be begun.
    """

    def __init__(
        self,
        write: Callable[[Write], Awaitable[Outcome]],
        steady: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self._write = write
        self._steady = steady
        self._wake = wake
        self._waiting: deque[tuple[float, Write]] = deque()
        """Each with the time from which it waits."""
        self._writing: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._busy_at = steady()

    def add(self, events: Iterable[Write]) -> None:
        """Write them once the burst that they are part of is over."""
        now = self._busy_at = self._steady()
        self._waiting.extend((now, event) for event in events)

    def begin(self, *, busy: bool) -> None:
        """Begin with the oldest that waits, if it is time; `busy`: passes are writing."""
        now = self._steady()
        if busy:
            self._busy_at = now
        if self._writing is not None or not self._waiting:
            return
        since, event = self._waiting[0]
        due = min(self._busy_at + _QUIET, since + _PATIENCE)
        if now < due:
            self._wake_in(due - now)
            return
        self._waiting.popleft()
        self._writing = asyncio.create_task(self._record(event))
        self._writing.add_done_callback(self._ended)

    async def flush(self) -> None:
        """Write all that wait."""
        if self._writing is not None:
            await self._writing
        while self._waiting:
            await self._record(self._waiting.popleft()[1])

    def _wake_in(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._wake)

    def _ended(self, _: asyncio.Task[None]) -> None:
        self._writing = None
        self._wake()

    async def _record(self, event: Write) -> None:
        outcome = await self._write(event)
        if not outcome.succeeded:
            answer = f"{outcome.code} {outcome.reason}: {outcome.message}"
            logger.warning("create events %s: %s", event.name, answer)
