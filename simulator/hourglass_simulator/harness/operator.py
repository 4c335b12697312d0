"""The operator as a process of the simulated cluster.

Informers, workers, election and controller are those of the real operator; only time and transport
are virtual. What kopf does for Performers, an informer like the others does here.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from hourglass_operator.controller import Controller, Settings
from hourglass_operator.controller.cache import Cache
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.runtime.clock import Clock as SteadyClock
from hourglass_operator.runtime.informers.selectors import SELECTORS
from hourglass_operator.runtime.leadership.lease import Candidate
from hourglass_operator.runtime.replica import Options, Replica
from hourglass_operator.runtime.workers.workers import PassObserver
from hourglass_operator.transport.calls import Request
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.harness.transport import Hook, SimulatedTransport
from hourglass_simulator.virtual_loop import new_event_loop

USER = "system:serviceaccount:hourglass-system:hourglass-performer-operator"

# What goes wrong on purpose is in the trace; programs that want the log configure one.
logging.getLogger("hourglass_operator").addHandler(logging.NullHandler())


class SimulatedOperator:
    """Starts, works, crashes and starts again; `on_write` is called before and after each write.

    What `on_write` calls may crash the operator, which then never sees the write's answer.
    """

    def __init__(
        self,
        clock: Clock,
        api: APIServer,
        *,
        catalogue: Catalogue,
        settings: Settings,
        hook: Hook,
        user: str = USER,
        candidate: Candidate | None = None,
    ) -> None:
        """Without a `candidate` it leads from the start, without a Lease."""
        self.on_write: list[Callable[[str, Request], None]] = []
        self.passes = 0
        self.ahead = 0.0
        """Seconds that its machine's time of day is ahead of the cluster's when it starts."""
        self._clock = clock
        self._api = api
        self._catalogue = catalogue
        self._settings = settings
        self._hook = hook
        self._user = user
        self._options = Options(candidate=candidate)
        self.awake_since = 0.0
        """When it was started, or went on after it was suspended, last."""
        self._lives = 0
        self._life: _Life | None = None

    @property
    def running(self) -> bool:
        """Started and not crashed since."""
        return self._life is not None

    @property
    def identity(self) -> str:
        """By which it holds a Lease; empty without election."""
        return "" if self._life is None else self._life.identity

    def elect(self, candidate: Candidate) -> None:
        """From its next start on it leads only when it holds the Lease."""
        self._options = replace(self._options, candidate=candidate)

    def resync(self, period: float) -> None:
        """From its next start on so many seconds pass between two looks at every Performer."""
        self._options = replace(self._options, resync_period=period)

    @property
    def cache(self) -> Cache | None:
        """What it knows of the cluster; None while it does not run."""
        return None if self._life is None else self._life.cache

    def start(self) -> None:
        """Start with nothing in memory."""
        self.crash()
        self.awake_since = self._clock.now
        self._lives += 1
        options = self._options
        if options.candidate is not None:
            identity = f"{options.candidate.identity}_{self._lives}"
            options = replace(options, candidate=replace(options.candidate, identity=identity))
        self._life = _Life(self, options)

    def crash(self) -> None:
        """Stop at once; answers to calls under way are lost."""
        if self._life is not None:
            life, self._life = self._life, None
            life.loop.kill()
            life.transport.close()

    def suspend(self) -> None:
        """Stop for a while: what is due or arrives meanwhile waits."""
        if self._life is not None:
            self._life.loop.suspend()

    def resume(self) -> None:
        """Go on where it was."""
        self.awake_since = self._clock.now
        if self._life is not None:
            self._life.loop.resume()

    def drop_watch(self, resource: str) -> None:
        """Lose the watch of a resource; it is resumed a little later."""
        if self._life is not None:
            self._life.transport.drop(resource)


class _Life(PassObserver):
    """The operator from a start to the next crash."""

    def __init__(self, operator: SimulatedOperator, options: Options) -> None:
        self._operator = operator
        self.cache: Cache | None = None
        self.identity = options.candidate.identity if options.candidate else ""
        self.loop = new_event_loop(operator._clock)
        self.transport = SimulatedTransport(
            operator._api,
            operator._user,
            operator._hook,
            operator.on_write,
            lambda: operator._life is self,
        )
        self.loop.call_soon(self._begin, options)

    def _begin(self, options: Options) -> None:
        operator = self._operator
        controller = Controller(operator._catalogue, operator._settings)
        self.cache = controller.cache
        cluster, ahead = operator._clock, operator.ahead
        clock = SteadyClock(lambda: cluster.unix_time + ahead, lambda: cluster.unix_time)
        replica = Replica(controller, self.transport, clock, self, options)
        informers = replica.informers(SELECTORS)
        running = self.loop.create_task(replica.run(informers, asyncio.Event()))
        # It never ends by itself: what it raises is raised out of the simulation.
        running.add_done_callback(asyncio.Task.result)

    def begun(self, waited: float) -> None:  # noqa: ARG002
        """See PassObserver."""
        self._operator.passes += 1

    def failed(self) -> None:
        """See PassObserver: called where the pass has raised, which no pass should."""
        raise
