"""What the cluster lacks is noticed: at the start, after refusals, and from time to time."""

import asyncio
import logging

import pytest

from hourglass_operator.runtime.process.preflight import Exit, Missing
from hourglass_operator.runtime.process.readiness import Readiness
from hourglass_simulator.clock import Clock
from hourglass_simulator.virtual_loop import new_event_loop

NO_PODS = Missing(Exit.NO_PERMISSION, "missing permission: list pods")


class World:
    """A cluster that lacks something between two moments."""

    def __init__(self, lost: float, given_back: float) -> None:
        self.clock = Clock()
        self.loop = new_event_loop(self.clock)
        self.looks: list[float] = []
        self.restored: list[float] = []
        self._lost, self._given_back = lost, given_back
        self.readiness = Readiness(self._preflight, 300.0)

    async def _preflight(self) -> list[Missing]:
        self.looks.append(self.clock.now)
        return [NO_PODS] if self._lost <= self.clock.now < self._given_back else []

    def follow(self, seconds: float, *refusals: tuple[float, bool]) -> None:
        async def refuse() -> None:
            for when, urgent in refusals:
                await asyncio.sleep(when - self.clock.now)
                self.readiness.refused(urgent=urgent)

        restored = self.restored.append
        self.loop.create_task(self.readiness.follow(lambda: restored(self.clock.now)))
        self.loop.create_task(refuse())
        self.clock.run_until(seconds)


CASES: list[tuple[str, tuple[float, float], list[tuple[float, bool]], list[float], list[float]]] = [
    ("from time to time", (200, 305), [], [300, 302, 304, 306], [306]),
    ("when a call was refused", (100, 152), [(150, False)], [150, 152], [152]),
    (
        "not at every refusal: quotas refuse too",
        (999, 999),
        [(10, False), (12, False)],
        [10, 40],
        [],
    ),
    ("soon when a watch was refused", (999, 999), [(10, False), (12, True)], [10, 12], []),
]


@pytest.mark.parametrize(
    ("missing", "refusals", "looks", "restored"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_it_looks(
    missing: tuple[float, float],
    refusals: list[tuple[float, bool]],
    looks: list[float],
    restored: list[float],
) -> None:
    world = World(*missing)
    world.follow(looks[-1] + 1.0, *refusals)
    assert (world.looks, world.restored) == (looks, restored)


def test_what_is_missing_is_logged_once_and_so_is_its_return(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(200.0, 310.0)
    with caplog.at_level(logging.INFO):
        world.follow(320.0)
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["missing permission: list pods", "nothing is missing any more"]
    assert world.readiness.missing == []
