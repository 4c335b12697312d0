"""What of a run can be struck: the operator's writes and calls, and the events that it watches."""

from collections import Counter
from collections.abc import Iterable

from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.harness.backend import SimulatedBackend

WRITES = "writes"
"""As a verb: every call that would change something."""


class Census:
    """Counts while a plan is played; hand it to `play`."""

    def __init__(self) -> None:
        self.writes = 0
        """The operator's, without those on Leases."""
        self.reads: Counter[tuple[str, str]] = Counter()
        """Verb and resource of the operator's other calls."""
        self.verbs: list[str] = []
        """Of each write, in order."""
        self.events: Counter[str] = Counter()
        """By resource."""

    def begin(self, backend: SimulatedBackend) -> None:
        """Count what happens on this backend."""
        self._user = backend.target.operator_user
        backend.cluster.api.interceptors.append(self)
        backend.target.deliveries.append(self._deliver)

    def before(self, call: Call) -> None:
        """See Interceptor."""
        if call.user != self._user or call.resource == "leases":
            return
        if call.mutating:
            self.writes += 1
            self.verbs.append(call.verb)
        else:
            self.reads[call.verb, call.resource] += 1

    def after(self, call: Call) -> None:
        """See Interceptor."""

    def _deliver(self, resource: str, event: WatchEvent) -> Iterable[tuple[float, WatchEvent]]:
        if event.type != "BOOKMARK":
            self.events[resource] += 1
        return [(0.0, event)]
