"""The operator as a process of the simulated cluster.

The controller and its plans are those of the real operator; only time and transport are virtual.
"""

from collections.abc import Callable

from hourglass_kube.types import JSON
from hourglass_operator.controller import Controller, Outcome, Pass, Settings, Write
from hourglass_operator.controller.cache import RESOURCES
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.clock import Clock, Timer
from hourglass_simulator.harness.act import act
from hourglass_simulator.harness.informer import Hook, Informer, Subscriber

CALL_LATENCY = 0.005
"""Seconds that a call to the API server takes."""
USER = "system:serviceaccount:hourglass-system:hourglass-performer-operator"

_SELECTORS = {
    "pods": "app=performer",
    "services": "app=performer",
    "endpointslices": "app=performer",
}


class SimulatedOperator:
    """Starts, works, crashes and starts again; `on_write` is asked before and after each write.

    An observer in `on_write` may crash the operator, which then forgets the write's answer.
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
    ) -> None:
        self.on_write: list[Callable[[str, Write], None]] = []
        self.passes = 0
        self._clock = clock
        self._api = api
        self._catalogue = catalogue
        self._settings = settings
        self._hook = hook
        self._user = user
        self._life = 0
        self._alarm: Timer | None = None
        self._informers: dict[str, Informer] = {}
        self._unsynced: set[str] = set()
        self._controller = Controller(catalogue, settings)

    @property
    def running(self) -> bool:
        """Started and not crashed since."""
        return bool(self._informers)

    @property
    def controller(self) -> Controller:
        """The controller of the present life."""
        return self._controller

    def start(self) -> None:
        """Start with nothing in memory."""
        self.crash()
        self._controller = Controller(self._catalogue, self._settings)
        self._unsynced = set(RESOURCES)
        subscriber = Subscriber(self._listed, self._watched)
        for resource in RESOURCES:
            selector = _SELECTORS.get(resource, "")
            self._informers[resource] = Informer(
                self._clock, self._api, resource, selector, self._hook, subscriber, self._user
            )
        for informer in self._informers.values():
            informer.start()

    def crash(self) -> None:
        """Stop at once; answers to calls under way are lost."""
        self._life += 1
        for informer in self._informers.values():
            informer.stop()
        self._informers.clear()

    def drop_watch(self, resource: str) -> None:
        """Lose the watch of a resource; it is listed again a little later."""
        if self.running:
            self._informers[resource].drop()

    @property
    def _now(self) -> float:
        return self._clock.unix_time

    def _listed(self, resource: str, objects: list[JSON], version: str) -> None:
        self._controller.listed(resource, objects, version, self._now)
        self._unsynced.discard(resource)
        self._work()

    def _watched(self, resource: str, event: WatchEvent) -> None:
        self._controller.watched(resource, event.type, event.object, self._now)
        self._work()

    def _work(self) -> None:
        """Begin every pass that is due, and come back when the next one is."""
        if self._unsynced or not self.running:
            return
        while (due := self._controller.take(self._now)) is not None:
            self.passes += 1
            self._perform(due, [])
        wake = self._controller.queue.next_due()
        if self._alarm is not None:
            self._alarm.cancel()
        if wake is not None:
            # A float of today's size is good to a microsecond: be late by one rather than early.
            self._alarm = self._later(wake - self._clock.epoch + 1e-6, self._work)

    def _perform(self, due: Pass, outcomes: list[Outcome]) -> None:
        """Do the pass's next write; each takes its time, so that others may come between."""
        failed = bool(outcomes) and not outcomes[-1].succeeded
        if failed or len(outcomes) == len(due.plan.writes):
            self._controller.finish(due, outcomes, self._now)
            if outcomes:
                self._work()
            return
        write = due.plan.writes[len(outcomes)]
        self._tell("before", write, lambda: self._send(due, write, outcomes))

    def _send(self, due: Pass, write: Write, outcomes: list[Outcome]) -> None:
        outcome = act(self._api, write, self._user)
        self._tell(
            "after",
            write,
            lambda: self._later(
                self._clock.now + CALL_LATENCY,
                lambda: self._perform(due, [*outcomes, outcome]),
            ),
        )

    def _tell(self, moment: str, write: Write, then: Callable[[], object]) -> None:
        life = self._life
        for observer in list(self.on_write):
            observer(moment, write)
        if life == self._life:
            then()

    def _later(self, when: float, action: Callable[[], None]) -> Timer:
        life = self._life
        return self._clock.at(when, lambda: action() if life == self._life else None)
