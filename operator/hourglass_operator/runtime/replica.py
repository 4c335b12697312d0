"""Informers, workers and leadership of one replica put together.

Whatever they need from outside is handed in: transport, clock, random numbers, and the event loop
that they run in. So the process and the simulator run the very same replica.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from hourglass_operator.controller import Controller
from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.informers.informer import Informer
from hourglass_operator.runtime.informers.selectors import CLUSTER_WIDE, OPTIONAL, SELECTORS
from hourglass_operator.runtime.informers.store import Store
from hourglass_operator.runtime.informers.unlabelled import Unlabelled
from hourglass_operator.runtime.leadership.election import Election
from hourglass_operator.runtime.leadership.lease import Candidate
from hourglass_operator.runtime.leadership.may_write import AlwaysLeading, MayWrite
from hourglass_operator.runtime.server_time import TimedTransport
from hourglass_operator.runtime.workers.workers import PassObserver, Workers
from hourglass_operator.transport.calls import Transport

logger = logging.getLogger(__name__)

_DRAIN = 0.6
"""The part of the shutdown timeout that calls under way are given; the rest is for the Lease."""
_UNTIL_SYNCED = 0.5
"""Seconds between two looks at whether everything is known."""


@dataclass(frozen=True, slots=True)
class Options:
    """Without a `candidate` the replica leads from the start. Times are seconds.

    `namespaces`: those that are served; empty: all. `workers`: passes with writes at a time.
    `resync_period`: between two passes over every Performer though nothing has changed.
    `shutdown_timeout`: from the stop to the end, in all.
    """

    candidate: Candidate | None = None
    namespaces: Collection[str] = ()
    retry_period: float = 2.0
    workers: int = 16
    request_timeout: float = 10.0
    resync_period: float = 300.0
    shutdown_timeout: float = 25.0


class Source(Protocol):
    """An informer of one resource."""

    @property
    def resource(self) -> str:
        """Its plural."""
        ...

    @property
    def has_synced(self) -> bool:
        """Whether everything that existed when it began is in the store."""
        ...

    async def run(self) -> None:
        """Until cancelled."""
        ...


class Replica:
    """One replica of the operator."""

    def __init__(
        self,
        controller: Controller,
        transport: Transport,
        clock: Clock,
        observer: PassObserver,
        options: Options,
        leadership_changed: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.store = Store(controller.event_handler, clock.now, lambda: self.workers.wake())
        self._controller = controller
        transport = self._transport = TimedTransport(transport, clock, self._jumped)
        self._clock = clock
        self._options = options
        self._leadership_changed = leadership_changed
        self._informers: Sequence[Source] = ()
        self._unlabelled = Unlabelled(
            transport, controller.event_handler, clock.now, options.namespaces
        )
        self._election = (
            Election(
                transport, options.candidate, options.retry_period, self._changed, clock.steady
            )
            if options.candidate is not None
            else None
        )
        self._may_write = MayWrite(self._election or AlwaysLeading(), self.has_synced)
        self.workers = Workers(
            controller,
            transport,
            self._may_write,
            clock,
            observer,
            limit=options.workers,
            request_timeout=options.request_timeout,
        )

    def has_synced(self) -> bool:
        """Whether all informers have."""
        return bool(self._informers) and not self.unsynced()

    def unsynced(self) -> list[str]:
        """The resources of which not everything is known."""
        return [each.resource for each in self._informers if not each.has_synced]

    def informers(self, resources: Collection[str]) -> list[Source]:
        """Informers that feed this replica."""
        namespaces = self._options.namespaces
        return [
            Informer(
                self._transport,
                self.store,
                resource,
                SELECTORS[resource],
                namespace,
                random=Random(f"{resource}/{namespace}"),
                optional=resource in OPTIONAL,
            )
            for resource in resources
            for namespace in (sorted(namespaces) if resource not in CLUSTER_WIDE else []) or [""]
        ]

    def start_over(self) -> None:
        """Forget what earlier passes have found out, and look at every Performer."""
        self._controller.forget(self._clock.now())
        self.workers.restart_waiting()

    async def run(self, informers: Sequence[Source], stop: asyncio.Event) -> None:
        """Watch and act until `stop`; then let calls under way end and give the Lease up."""
        self._informers = informers
        background = [
            asyncio.create_task(each.run(), name=f"informer of {each.resource}")
            for each in informers
        ]
        background.append(asyncio.create_task(self._resync(), name="resync"))
        if self._election is not None:
            background.append(asyncio.create_task(self._election.run(), name="election"))
        workers = asyncio.create_task(self.workers.run(), name="workers")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        done, _ = await asyncio.wait(
            [*background, workers, stopped], return_when=asyncio.FIRST_COMPLETED
        )
        logger.info("stopping")
        workers.cancel()
        stopped.cancel()
        await self._end(background)
        for task in done:
            # None of them ends by itself: a mistake in the code must not look like a clean stop.
            if task is not stopped:
                task.result()

    async def _end(self, background: Sequence[asyncio.Task[None]]) -> None:
        """Let calls under way end, give the Lease up, stop watching; all by one deadline."""
        timeout = self._options.shutdown_timeout
        deadline = asyncio.get_running_loop().time() + timeout
        # Until then the Lease is renewed, and the watches say that everything is known.
        drained = await self.workers.drain(_DRAIN * timeout)
        for task in background:
            task.cancel()
        try:
            async with asyncio.timeout_at(deadline):
                if self._election is not None and drained:
                    await self._election.release()
                await asyncio.gather(*background, return_exceptions=True)
        except TimeoutError:
            logger.warning("not everything has ended within %g s", timeout)

    def _changed(self, leading: bool) -> None:
        self._leadership_changed(leading)
        if leading:
            # Another replica may have written, and its refusals are not known here.
            self.start_over()

    def _jumped(self, seconds: float) -> None:
        logger.warning(
            "the API server's clock is %+.1f s from what was assumed; looking at everything anew",
            seconds,
        )
        self.start_over()

    async def _resync(self) -> None:
        # Whose an object is can be said when the Performers are known.
        while not self.has_synced():
            await asyncio.sleep(_UNTIL_SYNCED)
        while True:
            await self._unlabelled.list_all()
            self.workers.wake()
            await asyncio.sleep(self._options.resync_period)
            now = self._clock.now()
            for key in self._controller.cache.performers:
                self._controller.queue.add(key, now)
            self.workers.wake()
