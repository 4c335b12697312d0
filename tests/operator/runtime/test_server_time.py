"""The clock follows the time of the API server's answers."""

import asyncio
from collections.abc import Mapping

import pytest

from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.server_time import TimedTransport
from hourglass_operator.transport.calls import Answer, EventStream, Request


class Dated:
    """A Transport whose answers bear a date."""

    server = "https://dated"

    def __init__(self, date: int | None) -> None:
        self._date = date

    async def call(
        self, request: Request, *, timeout: float | None = None, once: bool = False
    ) -> Answer:
        return Answer(200, {}, date=self._date)

    def watch(self, resource: str, namespace: str, query: Mapping[str, str]) -> EventStream:
        raise NotImplementedError


DATES = [
    ("ten minutes ahead", 1600, 1600.0, [600.0]),
    ("ten minutes behind", 400, 400.0, [-600.0]),
    ("half a second behind", 999, 999.0, []),
    ("not known", None, 1000.0, []),
]


@pytest.mark.parametrize(
    ("date", "now", "jumps"), [d[1:] for d in DATES], ids=[d[0] for d in DATES]
)
def test_an_answer_whose_date_is(date: int | None, now: float, jumps: list[float]) -> None:
    clock = Clock(lambda: 1000.0, lambda: 50.0)
    seen: list[float] = []
    transport = TimedTransport(Dated(date), clock, seen.append)
    asyncio.run(transport.call(Request("get", "leases")))
    assert seen == jumps
    assert clock.now() == pytest.approx(now, abs=1.0)
