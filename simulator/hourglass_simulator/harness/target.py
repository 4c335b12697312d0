"""What faults act on: the simulated cluster and the operator in it."""

from collections.abc import Iterable
from functools import partial

from hourglass_operator.controller import Settings
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.runtime.leadership.lease import Candidate
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.faults.holds import Holds
from hourglass_simulator.faults.target import Deliver
from hourglass_simulator.faults.watches import OF_PERFORMERS
from hourglass_simulator.harness.operator import USER, SimulatedOperator

LEASE = ("hourglass-performer-operator", "hourglass-system")
"""Name and namespace."""


class SimulatedTarget:
    """The cluster, the operator, and the hooks that faults use on the operator's watches."""

    def __init__(self, cluster: Cluster, catalogue: Catalogue, settings: Settings) -> None:
        self.cluster = cluster
        self.deliveries: list[Deliver] = []
        self.second_deliveries: list[Deliver] = []
        self.holds = Holds()
        self.namespace = "default"
        self.watched = OF_PERFORMERS
        self.operator, self.second = (
            SimulatedOperator(
                cluster.clock,
                cluster.api,
                catalogue=catalogue,
                settings=settings,
                hook=partial(self._deliver, own),
            )
            for own in ([], self.second_deliveries)
        )

    @property
    def operator_user(self) -> str:
        """Whose calls to the API server are the operator's."""
        return USER

    def elect(self) -> None:
        """Let one of two replicas lead, by a Lease, from their next starts on."""
        for operator, name in ((self.operator, "replica-1"), (self.second, "replica-2")):
            operator.elect(Candidate(name, *LEASE, duration=15.0, renew_deadline=10.0))

    def _deliver(
        self, own: Iterable[Deliver], resource: str, event: WatchEvent
    ) -> Iterable[tuple[float, WatchEvent]]:
        """Pass an event through every active hook in turn; their delays add up."""
        current = [(0.0, event)]
        for deliver in (*self.deliveries, *own):
            current = [
                (before + more, changed)
                for before, passed in current
                for more, changed in deliver(resource, passed)
            ]
        return current
