"""The operator process, from its settings to its exit code."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from kubernetes.aio.client import Configuration

from hourglass_operator.controller import Controller, Settings
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.informers.kopf_performers import KopfPerformers
from hourglass_operator.runtime.informers.selectors import OPTIONAL, SELECTORS
from hourglass_operator.runtime.leadership.lease import Candidate
from hourglass_operator.runtime.process.metrics import Metrics, PhaseAndReason
from hourglass_operator.runtime.process.pass_report import PassReport
from hourglass_operator.runtime.process.preflight import Exit, Lease, Missing, preflight
from hourglass_operator.runtime.process.probes import Servers
from hourglass_operator.runtime.process.readiness import Readiness
from hourglass_operator.runtime.process.settings import RuntimeSettings
from hourglass_operator.runtime.replica import Options, Replica
from hourglass_operator.transport.api import Api
from hourglass_operator.transport.connection import connection, own_namespace

logger = logging.getLogger(__name__)

T = TypeVar("T")

_OTHER_CALLS = 50
"""Connections besides those of the workers: watches, Lease, permissions."""


async def run(settings: RuntimeSettings, catalogue: Catalogue) -> Exit:
    """Run until SIGTERM or SIGINT, or until the start has failed; returns the exit code.

    Raises KubeconfigError and ListenError.
    """
    stop = asyncio.Event()
    _stop_on_signals(stop)
    configuration = await _unless_stopped(stop, connection(settings.kubeconfig, settings.context))
    if configuration is None:
        return Exit.STOPPED
    # Each worker may have a call under way, and the Lease must not wait for one of them.
    configuration.connection_pool_maxsize = settings.workers + _OTHER_CALLS
    process = Process(settings, catalogue, configuration)
    servers = Servers()
    try:
        await servers.health(settings.health_address, process.why_not_ready)
        await servers.metrics(settings.metrics_address, process.metrics.registry)
        missing = await process.readiness.await_cluster(settings.startup_timeout, stop)
        if missing is not None:
            return missing.code
        if not stop.is_set():
            await process.work(stop)
    finally:
        await servers.stop()
        await process.close()
    return Exit.STOPPED


class Process:
    """A replica with what only a real process has: metrics, readiness, kopf, signals."""

    def __init__(
        self, settings: RuntimeSettings, catalogue: Catalogue, configuration: Configuration
    ) -> None:
        self.metrics = Metrics()
        self.readiness = Readiness(self._preflight, settings.resync_period)
        self._settings = settings
        self._configuration = configuration
        self._api = Api(configuration, settings.request_timeout, self)
        self._lease_namespace = settings.lease_namespace or own_namespace()
        self._clock = Clock()
        self._controller = Controller(
            catalogue,
            Settings(
                pod_defaults=settings.pod_defaults,
                disruption_policy=settings.default_disruption_policy,
            ),
        )
        self._replica = Replica(
            self._controller,
            self._api,
            self._clock,
            PassReport(self.metrics),
            self._options(),
            self.metrics.leader.set,
        )
        self.metrics.leader.set(not settings.leader_election)
        self.metrics.performers(self._phases)
        self.metrics.watch_events(self._replica.store.received)
        self.metrics.synced.set_function(self._replica.has_synced)
        self.metrics.queue_depth.set_function(self._replica.workers.waiting)

    def why_not_ready(self) -> str:
        """What /readyz says; empty if the whole cluster is known and watched."""
        if self.readiness.missing:
            return "\n".join(each.text for each in self.readiness.missing)
        if not self._replica.has_synced():
            unsynced = ", ".join(self._replica.unsynced()) or "anything"
            return f"not everything in the cluster is known yet: {unsynced}"
        return ""

    def called(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """A call to the API server has ended."""
        self.metrics.called(verb, resource, code, seconds)
        if code == 404 and resource in OPTIONAL:
            return
        if code in (401, 403, 404):
            watching = verb in ("list", "watch")
            if watching or code == 403:
                self.readiness.refused(urgent=watching)

    async def work(self, stop: asyncio.Event) -> None:
        """Run the replica until `stop`."""
        settings = self._settings
        served = ", ".join(settings.namespace)
        logger.info("serving %s", f"Performers in {served}" if served else "the whole cluster")
        performers = KopfPerformers(
            self._api,
            self._configuration,
            self._replica.store,
            settings.namespace,
            # kopf has taken the signals for itself.
            spawned=lambda: _stop_on_signals(stop),
            ended=self._kopf_ended,
        )
        others = [resource for resource in SELECTORS if resource != performers.resource]
        informers = [*self._replica.informers(others), performers]
        following = asyncio.create_task(self.readiness.follow(self._replica.start_over))
        try:
            await self._replica.run(informers, stop)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def _preflight(self) -> list[Missing]:
        settings = self._settings
        lease = Lease(self._lease_namespace, settings.lease_name)
        elects = settings.leader_election
        return await preflight(self._api, settings.namespace, lease if elects else None)

    def _kopf_ended(self) -> None:
        self.metrics.watch_restarts.inc()
        self.readiness.refused(urgent=True)

    def _options(self) -> Options:
        settings = self._settings
        candidate = Candidate(
            identity=f"{socket.gethostname()}_{os.getpid()}_{time.time_ns():x}",
            name=settings.lease_name,
            namespace=self._lease_namespace,
            duration=settings.lease_duration,
            renew_deadline=settings.renew_deadline,
        )
        return Options(
            candidate=candidate if settings.leader_election else None,
            namespaces=settings.namespace,
            retry_period=settings.retry_period,
            workers=settings.workers,
            request_timeout=settings.request_timeout,
            resync_period=settings.resync_period,
            shutdown_timeout=settings.shutdown_timeout,
        )

    def _phases(self) -> Iterator[PhaseAndReason]:
        for performer in self._controller.cache.performers.values():
            yield performer.phase or "Pending", performer.ready_reason


async def _unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What comes of the work; None if the process is to stop before it has ended.

    A kubeconfig's command may wait for a person, or for ever.
    """
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if working in done:
        return working.result()
    working.cancel()
    return None


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
