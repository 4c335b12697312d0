"""Events come one after the other, and after everything that is more urgent."""

import asyncio
import logging

import pytest

from hourglass_operator.controller import Outcome, Write
from hourglass_operator.runtime.workers.event_writer import EventWriter
from hourglass_simulator.clock import Clock as VirtualClock
from hourglass_simulator.virtual_loop import new_event_loop

EVENTS = [Write("create", "events", "avs", name, {}) for name in ("first", "second", "third")]


class Bench:
    """An EventWriter at a time of the test's own; the API server answers with `code`."""

    def __init__(self, code: int = 201) -> None:
        self.code = code
        self.now = 0.0
        self.written: list[str] = []
        self.woken = 0
        self.writer = EventWriter(self._write, lambda: self.now, self._wake)

    async def begin(self, *, busy: bool, at: float = 0.0) -> list[str]:
        """What has been written once all that was begun has ended."""
        self.now = at
        self.writer.begin(busy=busy)
        for _ in range(3):
            await asyncio.sleep(0)
        return self.written

    async def _write(self, event: Write) -> Outcome:
        await asyncio.sleep(0)
        self.written.append(event.name)
        return Outcome(event, self.code, "Forbidden", "not for you")

    def _wake(self) -> None:
        self.woken += 1


@pytest.mark.parametrize(
    ("busy", "at", "written"),
    [
        pytest.param(False, 0.9, [], id="none within a second after passes"),
        pytest.param(False, 1.0, ["first"], id="the oldest after a second without passes"),
        pytest.param(True, 59.9, [], id="none beside passes"),
        pytest.param(True, 60.0, ["first"], id="one that has waited for a minute all the same"),
    ],
)
def test_which_is_begun(busy: bool, at: float, written: list[str]) -> None:
    async def run() -> None:
        bench = Bench()
        bench.writer.add(EVENTS)
        await bench.begin(busy=True)
        assert await bench.begin(busy=busy, at=at) == written
        assert bench.woken == len(written)

    asyncio.run(run())


def test_one_is_written_at_a_time() -> None:
    async def run() -> None:
        bench = Bench()
        bench.writer.add(EVENTS)
        bench.now = 1.0
        bench.writer.begin(busy=False)
        assert await bench.begin(busy=False, at=1.0) == ["first"]
        assert await bench.begin(busy=False, at=1.0) == ["first", "second"]

    asyncio.run(run())


def test_it_wakes_when_the_next_may_be_begun() -> None:
    clock = VirtualClock()
    loop = new_event_loop(clock)
    woken: list[float] = []

    async def refuse(event: Write) -> Outcome:
        raise AssertionError(event)

    async def run() -> None:
        writer = EventWriter(refuse, loop.time, lambda: woken.append(loop.time()))
        writer.add(EVENTS)
        writer.begin(busy=True)
        await asyncio.sleep(0.5)
        writer.begin(busy=True)
        await asyncio.sleep(5.0)

    task = loop.create_task(run())
    clock.run_until(10.0)
    task.result()
    assert woken == [1.5]


def test_at_the_end_all_that_wait_are_written_in_their_order() -> None:
    async def run() -> None:
        bench = Bench()
        bench.writer.add(EVENTS)
        bench.now = 1.0
        bench.writer.begin(busy=False)
        await bench.writer.flush()
        assert bench.written == ["first", "second", "third"]

    asyncio.run(run())


def test_one_that_is_refused_is_logged_and_not_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        bench = Bench(code=403)
        bench.writer.add(EVENTS[:1])
        with caplog.at_level(logging.WARNING):
            await bench.begin(busy=False, at=1.0)
        assert caplog.messages == ["create events first: 403 Forbidden: not for you"]
        assert await bench.begin(busy=False, at=1.0) == ["first"]

    asyncio.run(run())
