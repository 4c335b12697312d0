"""What faults act on here: the cluster, and the calls and watches of the operator under test."""

from collections.abc import Callable, Sequence
from typing import Any

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.faults import FaultNotPossibleError
from hourglass_simulator.faults.holds import Holds
from hourglass_simulator.faults.target import Deliver

_PROCESS = "the operator is a program of the test's, which ends and starts it"
_DELIVERY = "the operator watches by a client of its own"


class OperatorUnderTest:
    """The operator of a `FaultTarget`: faults reach nothing of its program but the watches."""

    ahead = 0.0

    def __init__(self, drop_watch: Callable[[str], None]) -> None:
        self.drop_watch = drop_watch

    @property
    def on_write(self) -> list[Callable[[str, Any], None]]:
        """Nobody is called."""
        raise FaultNotPossibleError(_PROCESS)

    def start(self) -> None:
        """Not from here."""
        raise FaultNotPossibleError(_PROCESS)

    def crash(self) -> None:
        """Not from here."""
        raise FaultNotPossibleError(_PROCESS)

    def suspend(self) -> None:
        """Not from here."""
        raise FaultNotPossibleError(_PROCESS)

    def resume(self) -> None:
        """Not from here."""
        raise FaultNotPossibleError(_PROCESS)


class FaultTarget:
    """A Target whose operator is whoever makes calls as `user`."""

    def __init__(
        self, cluster: Cluster, user: str, namespace: str, drop_watch: Callable[[str], None]
    ) -> None:
        self.cluster = cluster
        self.operator_user = user
        self.namespace = namespace
        self.holds = Holds()
        self.operator = OperatorUnderTest(drop_watch)

    @property
    def watched(self) -> Sequence[str]:
        """Everything that can be watched."""
        return [resource.name for resource in self.cluster.api.resources()]

    @property
    def second(self) -> OperatorUnderTest:
        """There is none."""
        raise FaultNotPossibleError(_PROCESS)

    @property
    def deliveries(self) -> list[Deliver]:
        """Nobody delivers."""
        raise FaultNotPossibleError(_DELIVERY)

    @property
    def second_deliveries(self) -> list[Deliver]:
        """Nobody delivers."""
        raise FaultNotPossibleError(_PROCESS)
