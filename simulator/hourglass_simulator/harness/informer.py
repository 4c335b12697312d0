"""The watches of a simulated operator: list, watch, deliver with latency, list again when lost.

As client-go's reflectors do it: https://pkg.go.dev/k8s.io/client-go/tools/cache#Reflector
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, Watch, WatchEvent
from hourglass_simulator.apiserver.errors import APIError, CallTimeoutError
from hourglass_simulator.clock import Clock

LATENCY = 0.002
"""Seconds from a commit to the subscriber, unless a fault says otherwise."""
RETRY = 1.0
"""Seconds from a lost watch or a failed list to the next list."""

Hook = Callable[[str, WatchEvent], Iterable[tuple[float, WatchEvent]]]
"""(resource, event) → deliveries of it, each with a delay in seconds on top of the latency."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Where an informer delivers to."""

    listed: Callable[[str, list[JSON], str], None]
    watched: Callable[[str, WatchEvent], None]


class Informer:
    """Keeps a subscriber informed about one resource; events of it never overtake each other."""

    def __init__(
        self,
        clock: Clock,
        api: APIServer,
        resource: str,
        label_selector: str,
        hook: Hook,
        subscriber: Subscriber,
        user: str,
    ) -> None:
        self.resource = resource
        self._clock = clock
        self._api = api
        self._selector = label_selector
        self._hook = hook
        self._subscriber = subscriber
        self._user = user
        self._watch: Watch | None = None
        self._last_delivery = 0.0
        # Deliveries of a watch that was given up must not arrive any more.
        self._generation = 0

    def start(self) -> None:
        """List and watch; on failure try again later."""
        self.stop()
        try:
            listed = self._api.list(self.resource, label_selector=self._selector, user=self._user)
        except (APIError, CallTimeoutError):
            self._list_again()
            return
        self._deliver(
            0.0,
            lambda: self._subscriber.listed(self.resource, listed.items, listed.resource_version),
        )
        self._resume(listed.resource_version)

    def stop(self) -> None:
        """Stop watching; what is under way is dropped."""
        self._generation += 1
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def drop(self) -> None:
        """Lose the connection: nothing arrives until the next list."""
        self.stop()
        self._list_again()

    def _list_again(self) -> None:
        generation = self._generation
        self._clock.after(RETRY, lambda: self._restart(generation))

    def _restart(self, generation: int) -> None:
        if generation == self._generation:
            self.start()

    def _resume(self, version: str) -> None:
        # A watch whose answer was lost is there all the same, with nobody at this end.
        connected = True

        def sink(event: WatchEvent) -> None:
            if connected:
                self._sink(event)

        try:
            self._watch = self._api.watch(
                self.resource,
                label_selector=self._selector,
                resource_version=version,
                sink=sink,
                user=self._user,
            )
        except (APIError, CallTimeoutError):
            connected = False
            self._list_again()

    def _sink(self, event: WatchEvent) -> None:
        for delay, delivered in self._hook(self.resource, event):
            self._deliver(delay, partial(self._receive, delivered))

    def _receive(self, event: WatchEvent) -> None:
        if event.type == "ERROR":
            self.drop()
        elif event.type != "BOOKMARK":
            self._subscriber.watched(self.resource, event)

    def _deliver(self, delay: float, action: Callable[[], None]) -> None:
        generation = self._generation
        when = max(self._clock.now + LATENCY + delay, self._last_delivery)
        self._last_delivery = when

        def arrive() -> None:
            if generation == self._generation:
                action()

        self._clock.at(when, arrive)
