"""The operator process: controller, watches, workers, election and probes put together."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from functools import partial

from hourglass_kube.types import JSON
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.controller.cache import Name
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.runtime.api import Answer, Api
from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.connection import connection, own_namespace
from hourglass_operator.runtime.election import AlwaysLeading, Election
from hourglass_operator.runtime.lease import Candidate
from hourglass_operator.runtime.metrics import Metrics, PhaseAndReason
from hourglass_operator.runtime.preflight import Exit, Lack, preflight
from hourglass_operator.runtime.probes import Servers
from hourglass_operator.runtime.rollcall import RollCall, call_roll
from hourglass_operator.runtime.settings import RuntimeSettings
from hourglass_operator.runtime.watch import Watches
from hourglass_operator.runtime.workers import Workers

logger = logging.getLogger(__name__)

_WAITING_EVENTS = 100
"""How many events may wait to be taken in."""
_OTHER_CALLS = 50
"""Connections besides those of the workers: Lease, permissions, roll calls."""
_RETRY = 2.0
"""Seconds between two looks at whether the cluster is ready."""
_BETWEEN_LOOKS = 30.0
"""Seconds from a look that found no permission missing to the next one."""
_LONGEST_DEBT = 60.0
"""Seconds after which watches that owe an object which exists are started anew."""


async def run(settings: RuntimeSettings, catalogue: Catalogue) -> Exit:
    """Run until SIGTERM or SIGINT, or until the start has failed; returns the exit code.

    Raises BadKubeconfig and CannotListen.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    configuration = await connection(settings.kubeconfig, settings.context)
    # Each worker may have a call under way, and the Lease must not wait for one of them.
    configuration.connection_pool_maxsize = settings.workers + _OTHER_CALLS
    metrics, servers = Metrics(), Servers()
    calls = Calls(metrics)
    api = Api(configuration, settings.request_timeout, calls)
    operator = Operator(settings, catalogue, api, metrics, calls.forbidden)
    try:
        await servers.health(settings.health_address, operator.why_not_ready)
        await servers.metrics(settings.metrics_address, metrics.registry)
        lack = await operator.await_cluster(settings.startup_timeout, stop)
        if lack is not None:
            return lack.code
        if stop.is_set():
            return Exit.STOPPED
        watches = Watches(configuration, settings.namespace, operator.deliver)
        await operator.work(watches, stop)
    finally:
        await servers.stop()
        await api.close()
    return Exit.STOPPED


class Calls:
    """Counts calls, and notices when one was forbidden."""

    def __init__(self, metrics: Metrics) -> None:
        self.forbidden = asyncio.Event()
        self._metrics = metrics

    def called(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """A call has ended."""
        self._metrics.called(verb, resource, code, seconds)
        if code == 403:
            self.forbidden.set()


class Operator:
    """One life of the process; everything happens in the event loop that `work` runs in."""

    def __init__(
        self,
        settings: RuntimeSettings,
        catalogue: Catalogue,
        api: Api,
        metrics: Metrics,
        forbidden: asyncio.Event,
    ) -> None:
        self._settings = settings
        self._forbidden = forbidden
        self._api = api
        self._metrics = metrics
        self._clock = Clock()
        self._controller = Controller(catalogue, Settings())
        self._roll = RollCall(settings.resync_period)
        self._lease_namespace = settings.lease_namespace or own_namespace()
        self._lacks: list[Lack] = []
        self._looking = asyncio.Lock()
        self._watching = False
        self._loop = asyncio.get_running_loop()
        self._room = threading.Semaphore(_WAITING_EVENTS)
        self._election = self._elect() if settings.leader_election else None
        self._workers = Workers(
            self._controller,
            api,
            self._election or AlwaysLeading(),
            self._clock,
            metrics,
            limit=settings.workers,
            request_timeout=settings.request_timeout,
            ready=self._synced,
        )
        metrics.performers(self._phases)
        metrics.synced.set_function(self._synced)
        metrics.leader.set(0 if self._election else 1)

    def why_not_ready(self) -> str:
        """What /readyz says; empty if the whole cluster is known and watched."""
        if self._lacks:
            return "\n".join(lack.text for lack in self._lacks)
        if not self._watching:
            return "not watching"
        return "" if self._roll.complete else "not everything in the cluster is known yet"

    def _synced(self) -> bool:
        return self._watching and self._roll.complete

    def deliver(self, resource: str, event: str | None, obj: JSON) -> None:
        """Take an event from the thread of the watches, which waits while too many are waiting.

        kopf reads on as fast as it can, and whole objects are large.
        """
        # Nothing makes room any more once the process is stopping.
        has_room = self._room.acquire(timeout=1.0)
        # The loop is closed when the process ends; nobody needs the event then.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take_in, has_room, resource, event, obj)

    async def await_cluster(self, timeout: float, stop: asyncio.Event) -> Lack | None:
        """Wait until the cluster is ready; what is missing if it is not within `timeout` seconds.

        Each thing that is missing is told once, as soon as it is found.
        """
        deadline = time.monotonic() + timeout
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                look = asyncio.create_task(self._look())
                await asyncio.wait([look, stopped], return_when=asyncio.FIRST_COMPLETED)
                if stop.is_set():
                    look.cancel()
                    break
                if not look.result():
                    return None
                if time.monotonic() >= deadline:
                    return self._lacks[0]
                pause = min(_RETRY, max(0.0, deadline - time.monotonic()))
                await asyncio.wait([stopped], timeout=pause)
        finally:
            stopped.cancel()
        return None

    async def work(self, watches: Watches, stop: asyncio.Event) -> None:
        """Watch and act until `stop`; then let calls under way end and give the Lease up."""
        settings = self._settings
        served = ", ".join(settings.namespace)
        logger.info("serving %s", f"Performers in {served}" if served else "the whole cluster")
        background = [
            asyncio.create_task(self._watch(watches), name="watches"),
            asyncio.create_task(self._call_rolls(), name="roll call"),
            asyncio.create_task(self._heed_refusals(), name="refusals"),
        ]
        if self._election is not None:
            background.append(asyncio.create_task(self._election.run(), name="election"))
        workers = asyncio.create_task(self._workers.run(), name="workers")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        done, _ = await asyncio.wait(
            [*background, workers, stopped], return_when=asyncio.FIRST_COMPLETED
        )
        logger.info("stopping")
        workers.cancel()
        drained = await self._workers.drain(settings.shutdown_timeout)
        for task in (*background, stopped):
            task.cancel()
        await asyncio.gather(*background, workers, stopped, return_exceptions=True)
        if self._election is not None and drained:
            await self._election.release()
        await asyncio.to_thread(watches.stop, 5.0)
        for task in done:
            # None of them ends by itself: a mistake in the code must not look like a clean stop.
            if task is not stopped:
                task.result()

    # Watching

    def _take_in(self, has_room: bool, resource: str, event: str | None, obj: JSON) -> None:
        try:
            self._watched(resource, event, obj)
        finally:
            if has_room:
                self._room.release()

    def _watched(self, resource: str, event: str | None, obj: JSON) -> None:
        now = self._clock.now()
        self._metrics.watch_events.labels(resource).inc()
        self._controller.watched(resource, event or "ADDED", obj, now)
        meta = obj["metadata"]
        name = (meta.get("namespace", ""), meta["name"])
        self._roll.told(resource, name, self._loop.time(), by_list=event is None)
        self._workers.wake()

    async def _watch(self, watches: Watches) -> None:
        """Keep the watches running; look at what the cluster lacks whenever they end."""
        while True:
            ended: asyncio.Future[str] = self._loop.create_future()
            self._roll.begin(self._loop.time())
            watches.start(partial(self._tell, ended))
            self._watching = True
            why = await self._end_of_watches(ended)
            self._watching = False
            logger.warning("watching again: %s", why)
            self._metrics.watch_restarts.inc()
            await asyncio.to_thread(watches.stop, 10.0)
            await asyncio.sleep(_RETRY)
            while await self._look():
                await asyncio.sleep(_RETRY)

    def _tell(self, ended: "asyncio.Future[str]", why: str) -> None:
        def tell() -> None:
            if not ended.done():
                ended.set_result(why)

        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(tell)

    async def _end_of_watches(self, ended: "asyncio.Future[str]") -> str:
        while True:
            done, _ = await asyncio.wait([ended], timeout=_LONGEST_DEBT / 4)
            if done:
                return ended.result()
            owing = self._roll.waiting(self._loop.time()) > _LONGEST_DEBT
            if (owing or self._lacks) and not await self._look() and owing:
                return "objects that exist have not been told"

    async def _heed_refusals(self) -> None:
        """When a call was forbidden, look for a missing permission until it is given back.

        Quotas and admission forbid with the same code; so do not look too often.
        """
        while True:
            await self._forbidden.wait()
            self._forbidden.clear()
            if await self._look():
                while await self._look():
                    await asyncio.sleep(_RETRY)
                self._controller.forget(self._clock.now())
                self._workers.wake()
            else:
                await asyncio.sleep(_BETWEEN_LOOKS)

    async def _look(self) -> bool:
        """Look at what the cluster lacks, and tell what is new; whether anything is missing."""
        lease = self._lease_namespace if self._election else None
        async with self._looking:
            before = self._lacks
            self._lacks = await preflight(self._api, self._settings.namespace, lease)
            for lack in self._lacks:
                if lack not in before:
                    logger.error("%s", lack.text)
            if before and not self._lacks:
                logger.info("nothing is missing any more")
        return bool(self._lacks)

    # The roll call

    async def _call_rolls(self) -> None:
        complaints: dict[str, str] = {}
        while True:
            for resource in self._roll.due(self._loop.time()):
                found = await call_roll(self._api, resource, self._settings.namespace, self)
                if isinstance(found, Answer):
                    self._roll.failed(resource, self._loop.time())
                    if complaints.get(resource) != found.message:
                        logger.warning("cannot list %s: %s", resource, found.message)
                    complaints[resource] = found.message
                else:
                    complaints.pop(resource, None)
                    self._roll.called(resource, found, self._loop.time())
                self._workers.wake()
            await asyncio.sleep(0.1 if not self._roll.complete else self._roll.pause)

    def remain(self, resource: str, names: Collection[Name], version: str) -> None:
        """Tell the controller what exists."""
        self._controller.remain(resource, names, version, self._clock.now())

    def missing(self, resource: str, versions: Mapping[Name, int]) -> Collection[Name]:
        """Ask the controller what it does not know."""
        return self._controller.cache.missing(resource, versions)

    # Leadership and metrics

    def _elect(self) -> Election:
        settings = self._settings
        candidate = Candidate(
            identity=f"{socket.gethostname()}_{os.getpid()}_{time.time_ns():x}",
            name=settings.lease_name,
            namespace=self._lease_namespace,
            duration=settings.lease_duration,
            renew_deadline=settings.renew_deadline,
        )
        return Election(self._api, candidate, settings.retry_period, self._leadership_changed)

    def _leadership_changed(self, leading: bool) -> None:
        self._metrics.leader.set(leading)
        if leading:
            # Another process may have written, and its refusals are not known here.
            self._controller.forget(self._clock.now())
        self._workers.wake()

    def _phases(self) -> Iterator[PhaseAndReason]:
        for performer in self._controller.cache.performers.values():
            status = performer.status()
            ready = (c.reason for c in status.conditions if c.type == "Ready")
            yield str(status.phase or "Pending"), next(ready, "")
