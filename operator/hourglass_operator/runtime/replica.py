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
from hourglass_operator.runtime.informers.selectors import SELECTORS
from hourglass_operator.runtime.informers.store import Store
from hourglass_operator.runtime.leadership.election import Election
from hourglass_operator.runtime.leadership.lease import Candidate
from hourglass_operator.runtime.leadership.may_write import AlwaysLeading, MayWrite
from hourglass_operator.runtime.workers.workers import PassObserver, Workers
from hourglass_operator.transport.calls import Transport

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """Without a `candidate` the replica leads from the start. Times are seconds.

    `workers`: passes with writes at a time. `resync_period`: between two passes over every
    Performer though nothing has changed. `shutdown_timeout`: for calls under way at the end.
    """

    candidate: Candidate | None = None
    retry_period: float = 2.0
    workers: int = 16
    request_timeout: float = 10.0
    resync_period: float = 300.0
    shutdown_timeout: float = 20.0


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
        self._transport = transport
        self._clock = clock
        self._options = options
        self._leadership_changed = leadership_changed
        self._informers: Sequence[Source] = ()
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

    def informers(self, resources: Collection[str], namespaces: Collection[str]) -> list[Source]:
        """Informers that feed this replica; `namespaces`: those that are served, empty: all."""
        return [
            Informer(
                self._transport,
                self.store,
                resource,
                SELECTORS[resource],
                namespace,
                random=Random(f"{resource}/{namespace}"),
            )
            for resource in resources
            for namespace in (sorted(namespaces) if resource != "nodes" else []) or [""]
        ]

    def look_anew(self) -> None:
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
        drained = await self.workers.drain(self._options.shutdown_timeout)
        for task in (*background, stopped):
            task.cancel()
        await asyncio.gather(*background, workers, stopped, return_exceptions=True)
        if self._election is not None and drained:
            await self._election.release()
        for task in done:
            # None of them ends by itself: a mistake in the code must not look like a clean stop.
            if task is not stopped:
                task.result()

    def _changed(self, leading: bool) -> None:
        self._leadership_changed(leading)
        if leading:
            # Another replica may have written, and its refusals are not known here.
            self.look_anew()

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._options.resync_period)
            now = self._clock.now()
            for key in self._controller.cache.performers:
                self._controller.queue.add(key, now)
            self.workers.wake()
