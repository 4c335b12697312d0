"""Passes performed: in order, within limits, and only while leading."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from builders import CATALOGUE, performer
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.controller.cache import RESOURCES
from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.leadership.may_write import MayWrite
from hourglass_operator.runtime.process.metrics import Metrics
from hourglass_operator.runtime.process.pass_report import PassReport
from hourglass_operator.runtime.workers.workers import Workers
from hourglass_operator.transport.calls import Answer, Request
from scene import take_list
from scripted_api import Script, done, refused

VERSIONS = count(10**9)


class Leader:
    """Leads for so many seconds."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds = seconds

    def remaining(self) -> float:
        return self.seconds


class Server(Script):
    """Accepts everything; `gate` holds calls back until it is opened."""

    def __init__(self, answer: Callable[[Request], Answer] | None = None) -> None:
        super().__init__()
        self.answer = answer or accepted
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_once = self.most_at_once = 0
        self.arrived: asyncio.Queue[Request] = asyncio.Queue()

    async def call(self, *args: Any, **kwargs: Any) -> Answer:
        self.answers = [self.answer]
        answer = await super().call(*args, **kwargs)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.arrived.put_nowait(self.calls[-1])
        await self.gate.wait()
        self.at_once -= 1
        return answer

    async def receive(self, number: int) -> list[str]:
        """The next calls, in words."""
        calls = [await asyncio.wait_for(self.arrived.get(), 300) for _ in range(number)]
        return [f"{call.verb} {call.resource}/{call.subresource}".rstrip("/") for call in calls]


def accepted(call: Request) -> Answer:
    body = call.body or {}
    metadata = {**body.get("metadata", {}), "resourceVersion": str(next(VERSIONS)), "uid": "u"}
    return done(**{**body, "metadata": metadata})


class Bench:
    """Workers over a controller that knows some new Performers."""

    def __init__(
        self, server: Server, names: list[str], *, leader: Leader | None = None, limit: int = 16
    ) -> None:
        self.clock, self.metrics, self.leader = Clock(), Metrics(), leader or Leader()
        self.controller = Controller(CATALOGUE, Settings())
        for resource in RESOURCES:
            objects = [performer(name).build() for name in names] * (resource == "performers")
            take_list(self.controller, resource, objects, str(10**8), self.clock.now())
        self.ready = True
        self.workers = Workers(
            self.controller,
            server,
            MayWrite(self.leader, lambda: self.ready),
            self.clock,
            PassReport(self.metrics),
            limit=limit,
            request_timeout=10.0,
        )
        self.metrics.queue_depth.set_function(self.workers.waiting)

    def passes(self, result: str) -> float:
        return self.metric("passes_total", result=result)

    def metric(self, name: str, **labels: str) -> float:
        found = self._registry.get_sample_value(f"hourglass_performer_{name}", labels)
        return found or 0.0

    @property
    def _registry(self) -> CollectorRegistry:
        return self.metrics.registry


def played(story: Callable[[], Awaitable[None]]) -> None:
    async def play() -> None:
        await story()

    asyncio.run(play())


async def at_work(bench: Bench, story: Awaitable[None]) -> None:
    running = asyncio.create_task(bench.workers.run())
    try:
        await story
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_writes_are_performed_in_the_order_of_the_plan() -> None:
    async def story() -> None:
        server = Server()
        bench = Bench(server, ["ml"])

        async def see() -> None:
            assert await server.receive(2) == ["create services", "create pods"]
            await bench.workers.drain(300)
            assert bench.passes("written") == 1.0

        await at_work(bench, see())

    played(story)


def test_a_write_that_fails_ends_its_pass() -> None:
    async def story() -> None:
        def answer(call: Request) -> Answer:
            return refused(429) if call.resource == "services" else accepted(call)

        server = Server(answer)
        bench = Bench(server, ["ml"])

        async def see() -> None:
            assert await server.receive(1) == ["create services"]
            await bench.workers.drain(300)
            assert bench.passes("failed") == 1.0
            assert len(server.calls) == 1
            due = bench.controller.queue.next_due()
            assert due is not None
            assert due > bench.clock.now()

        await at_work(bench, see())

    played(story)


@pytest.mark.parametrize("why", ["another one leads", "not everything is known yet"])
def test_nothing_is_begun_while(why: str) -> None:
    async def story() -> None:
        server = Server()
        bench = Bench(server, ["ml"])
        if why == "another one leads":
            bench.leader.seconds = 0.0
        else:
            bench.ready = False

        async def see() -> None:
            for _ in range(20):
                await asyncio.sleep(0)
            assert server.calls == []
            bench.leader.seconds, bench.ready = 60.0, True
            bench.workers.wake()
            await server.receive(2)

        await at_work(bench, see())

    played(story)


def test_a_standby_lets_nobody_wait_however_long_passes_are_due() -> None:
    async def story() -> None:
        server = Server()
        bench = Bench(server, ["ml"], leader=Leader(0.0))
        bench.controller.queue.add(("avs", "ml"), bench.clock.now() - 3600.0)

        async def see() -> None:
            for _ in range(20):
                await asyncio.sleep(0)
            assert bench.metric("queue_depth") == 0.0
            bench.leader.seconds = 60.0
            assert bench.metric("queue_depth") == 1.0
            bench.workers.wake()
            await server.receive(2)
            assert bench.metric("queue_latency_seconds_count") > 0.0
            assert bench.metric("queue_latency_seconds_sum") < 60.0

        await at_work(bench, see())

    played(story)


def test_a_write_that_raises_has_failed_and_is_made_again() -> None:
    async def story() -> None:
        def answer(call: Request) -> Answer:
            raise ValueError("the token file is empty")

        server = Server(answer)
        bench = Bench(server, ["ml"])

        async def see() -> None:
            while not server.calls:
                await asyncio.sleep(0)
            await bench.workers.drain(300)
            assert bench.passes("failed") == 1.0
            due = bench.controller.queue.next_due()
            assert due is not None
            assert bench.clock.now() < due < bench.clock.now() + 60.0

        await at_work(bench, see())

    played(story)


def test_leadership_that_ends_ends_the_pass_before_its_next_write() -> None:
    async def story() -> None:
        leader = Leader()

        def answer(call: Request) -> Answer:
            leader.seconds = 0.0
            return accepted(call)

        server = Server(answer)
        bench = Bench(server, ["ml"], leader=leader)

        async def see() -> None:
            await server.receive(1)
            await bench.workers.drain(300)
            assert len(server.calls) == 1
            assert bench.passes("failed") == 1.0

        await at_work(bench, see())

    played(story)


TIMEOUTS = [("its own", 60.0, 10.0), ("what is left of the leadership", 4.0, 4.0)]


@pytest.mark.parametrize(
    ("leads", "timeout"), [t[1:] for t in TIMEOUTS], ids=[t[0] for t in TIMEOUTS]
)
def test_a_call_has_a_time_out(leads: float, timeout: float) -> None:
    async def story() -> None:
        server = Server()
        bench = Bench(server, ["ml"], leader=Leader(leads))

        async def see() -> None:
            await server.receive(1)
            assert server.timeouts[0] == timeout

        await at_work(bench, see())

    played(story)


def test_no_more_than_so_many_at_once() -> None:
    async def story() -> None:
        server = Server()
        server.gate.clear()
        bench = Bench(server, [f"p{number}" for number in range(9)], limit=3)

        async def see() -> None:
            await server.receive(3)
            server.gate.set()
            await server.receive(15)
            assert server.most_at_once == 3

        await at_work(bench, see())

    played(story)


def test_at_the_end_what_is_under_way_is_finished() -> None:
    async def story() -> None:
        server = Server()
        server.gate.clear()
        bench = Bench(server, ["ml"])

        async def see() -> None:
            await server.receive(1)

        await at_work(bench, see())
        server.gate.set()
        await bench.workers.drain(300)
        assert len(server.calls) == 2

    played(story)


def test_a_pass_that_raises_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        server = Server()
        bench = Bench(server, ["bad", "good"])
        plan = bench.controller.plan

        def raising(key: tuple[str, str], now: float) -> Any:
            if key[1] == "bad":
                raise RuntimeError("a mistake")
            return plan(key, now)

        monkeypatch.setattr(bench.controller, "plan", raising)

        async def see() -> None:
            await server.receive(2)
            created = {call.body["metadata"]["name"] for call in server.calls if call.body}
            assert all(name.startswith("performer-good") for name in created)
            assert bench.passes("error") == 1.0

        await at_work(bench, see())

    played(story)
