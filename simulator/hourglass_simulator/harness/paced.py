"""Plays scenarios on a cluster that is served: at the pace of the wall clock, operator apart."""

from collections.abc import Callable, Collection
from datetime import datetime

from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.http.pace import Driver
from hourglass_simulator.kubernetes.version import Version


class PacedBackend(SimulatedBackend):
    """Everything happens under the lock of `driver`; the operator is whoever connects."""

    def __init__(self, version: Version, epoch: datetime, *, without: Collection[str] = ()) -> None:
        super().__init__(
            version=version,
            epoch=epoch,
            with_operator=False,
            managed_fields=True,
            without=without,
        )
        self.driver: Driver | None = None

    def advance(self, until: float, stop: Callable[[], bool]) -> None:
        """Wait until then, or until `stop` after something has happened."""
        assert self.driver is not None  # who plays a scenario has set it

        def done() -> bool:
            happened, self.happened = self.happened, False
            return happened and stop()

        self.driver.drive(until, done)
