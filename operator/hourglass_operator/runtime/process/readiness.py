"""What the cluster lacks of what the operator needs: at the start, and while it runs."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from hourglass_operator.runtime.process.preflight import Missing

logger = logging.getLogger(__name__)

_RETRY = 2.0
"""Seconds between two checks while something is missing."""
_BETWEEN_CHECKS = 30.0
"""Seconds at most from a check that found nothing missing to the next one, unless it is urgent."""


class Readiness:
    """Looks every `period` seconds, and whenever a call was refused; logs what has changed."""

    def __init__(self, preflight: Callable[[], Awaitable[list[Missing]]], period: float) -> None:
        self.missing: list[Missing] = []
        self._preflight = preflight
        self._period = period
        self._refused = asyncio.Event()
        self._urgent = asyncio.Event()

    def refused(self, *, urgent: bool) -> None:
        """A call was refused: it may be for want of something.

        Quotas and admission forbid with the same code as missing permissions; only what is not
        `urgent` waits its turn.
        """
        self._refused.set()
        if urgent:
            self._urgent.set()

    async def await_cluster(self, timeout: float, stop: asyncio.Event) -> Missing | None:
        """Wait until nothing is missing; what is missing if it is not within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                checking = asyncio.create_task(self.check())
                await asyncio.wait([checking, stopped], return_when=asyncio.FIRST_COMPLETED)
                if stop.is_set():
                    checking.cancel()
                    break
                if not checking.result():
                    return None
                if time.monotonic() >= deadline:
                    return self.missing[0]
                pause = min(_RETRY, max(0.0, deadline - time.monotonic()))
                await asyncio.wait([stopped], timeout=pause)
        finally:
            stopped.cancel()
        return None

    async def follow(self, restored: Callable[[], None]) -> None:
        """Check until cancelled; `restored` is called when all is there again.

        Also without a refusal: a permission to list is missed only when a history is lost.
        """
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._period):
                    await self._refused.wait()
            self._refused.clear()
            self._urgent.clear()
            if not await self.check():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(_BETWEEN_CHECKS, self._period)):
                        await self._urgent.wait()
                continue
            await asyncio.sleep(_RETRY)
            while await self.check():
                await asyncio.sleep(_RETRY)
            restored()

    async def check(self) -> bool:
        """Check, and log what is new; whether anything is missing."""
        before = self.missing
        self.missing = await self._preflight()
        for each in self.missing:
            if each not in before:
                logger.error("%s", each.text)
        if before and not self.missing:
            logger.info("nothing is missing any more")
        return bool(self.missing)
