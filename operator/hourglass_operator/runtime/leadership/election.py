"""Takes part in the election by Lease."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from hourglass_kube.types import JSON
from hourglass_operator.runtime.clock import steady
from hourglass_operator.runtime.leadership.lease import (
    Attempt,
    Candidate,
    Seen,
    attempt,
    leads_until,
    released,
)
from hourglass_operator.transport.calls import Answer, Caller, Request

logger = logging.getLogger(__name__)


class Election:
    """The Leadership of a replica; `changed` is called when leadership is won and lost."""

    def __init__(
        self,
        caller: Caller,
        candidate: Candidate,
        retry_period: float,
        changed: Callable[[bool], None],
        monotonic: Callable[[], float] = steady,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._caller = caller
        self._candidate = candidate
        self._retry_period = retry_period
        self._changed = changed
        self._monotonic = monotonic
        self._wall = wall
        self._seen = Seen()
        self._lease: JSON | None = None
        self._leads_until = 0.0
        self._leading = False
        self._complaint = ""
        self._reported_leader = ""

    def remaining(self) -> float:
        """Seconds for which this process may still write; 0 if it does not lead."""
        return max(0.0, self._leads_until - self._monotonic())

    async def run(self) -> None:
        """Acquire and renew until cancelled."""
        while True:
            began = self._monotonic()
            try:
                await self.step()
            except Exception:
                # A replica without an election would neither lead nor say why.
                logger.exception("a try to acquire or renew the Lease failed")
            # However long the try took: renewals are to be as often as they should.
            await asyncio.sleep(max(0.0, began + self._retry_period - self._monotonic()))

    async def step(self) -> None:
        """One try to acquire or renew."""
        # Others may have led since, if this process or its machine was stopped for a while.
        self.notice()
        sent = self._monotonic()
        renewed = await self._try()
        # It may have run out meanwhile: whoever waits for leadership must hear that it is back.
        self.notice()
        if renewed:
            self._leads_until = leads_until(self._candidate, sent)
        self.notice()
        self._report_another()

    def notice(self) -> None:
        """Report it when leadership has changed, also by running out."""
        leading = self.remaining() > 0
        if leading == self._leading:
            return
        self._leading = leading
        if leading:
            logger.info("leading, as %s", self._candidate.identity)
        else:
            logger.warning("no longer leading: the Lease could not be renewed in time")
        self._changed(leading)

    def _report_another(self) -> None:
        spec = self._seen.spec or {}
        holder = "" if self._leading else str(spec.get("holderIdentity") or "")
        if holder not in ("", self._candidate.identity, self._reported_leader):
            logger.info("standing by: %s leads", holder)
        self._reported_leader = holder

    async def release(self) -> None:
        """Stop leading and let others take over at once."""
        leading, self._leads_until = self.remaining() > 0, 0.0
        if not leading:
            return
        # A renewal that was broken off may have been made: what is known of the Lease can be old.
        read = await self._read()
        if read.succeeded:
            await self._write(released(self._candidate, read.body, self._wall()))

    async def _try(self) -> bool:
        if self.remaining() > 0 and self._lease is not None:
            lease, self._lease = self._lease, None
            if await self._attempt(lease):
                return True
        read = await self._read()
        if read.succeeded:
            self._seen = self._seen.update(read.body.get("spec") or {}, self._monotonic())
        elif read.code != 404:
            self._complain("read", read)
            return False
        return await self._attempt(read.body if read.succeeded else None)

    async def _attempt(self, lease: JSON | None) -> bool:
        now, wall = self._monotonic(), self._wall()
        return await self._write(attempt(self._candidate, lease, self._seen, now, wall))

    async def _read(self) -> Answer:
        candidate = self._candidate
        request = Request("get", "leases", candidate.namespace, candidate.name)
        return await self._caller.call(request, timeout=self._patience())

    async def _write(self, what: Attempt) -> bool:
        if what.verb is None:
            self._complaint = ""
            return False
        candidate = self._candidate
        name = "" if what.verb == "create" else candidate.name
        request = Request(what.verb, "leases", candidate.namespace, name, body=what.body)
        answer = await self._caller.call(request, timeout=self._patience())
        if not answer.succeeded:
            # Another one was faster; it will be seen at the next try.
            if answer.code not in (404, 409):
                self._complain(what.verb, answer)
            return False
        self._lease, self._complaint = answer.body, ""
        self._seen = replace(
            self._seen, spec=answer.body.get("spec") or {}, since=self._monotonic()
        )
        return True

    def _patience(self) -> float:
        """Seconds for a call: within the renew deadline there is room for another."""
        return self._candidate.renew_deadline / 2

    def _complain(self, verb: str, answer: Answer) -> None:
        what = f"{self._candidate.namespace}/{self._candidate.name}: {answer.message}"
        if what != self._complaint:
            logger.warning("cannot %s the Lease %s", verb, what)
        self._complaint = what
