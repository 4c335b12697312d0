"""Plays scenarios on a cluster that is served: at the pace of the wall clock, operator apart."""

from collections.abc import Callable
from datetime import datetime

from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.http.pace import Driver


class PacedBackend(SimulatedBackend):
    """Everything happens under the lock of `driver`; the operator is whoever connects."""

    def __init__(self, epoch: datetime, seed: int = 0) -> None:
        super().__init__(seed, epoch=epoch, with_operator=False)
        self.driver: Driver | None = None

    def advance(self, until: float, stop: Callable[[], bool]) -> None:
        """Wait until then, or until `stop` after something has happened."""
        assert self.driver is not None  # who plays a scenario has set it

        def done() -> bool:
            happened, self.happened = self.happened, False
            return happened and stop()

        self.driver.drive(until, done)
