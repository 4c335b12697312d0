"""Passes performed: in order, within limits, and only while leading."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from builders import CATALOGUE, PerformerBuilder, performer
from hourglass_operator.controller import Controller, Plan, Settings
from hourglass_operator.controller.cache import RESOURCES
from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.leadership.may_write import MayWrite
from hourglass_operator.runtime.process.metrics import Metrics
from hourglass_operator.runtime.process.pass_report import PassReport
from hourglass_operator.runtime.workers.workers import Workers
from hourglass_operator.transport.calls import Answer, Request
from hourglass_simulator.clock import Clock as VirtualClock
from hourglass_simulator.virtual_loop import new_event_loop
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
    named = {"namespace": call.namespace, "name": call.name} if call.name else {}
    metadata = {
        **body.get("metadata", {}),
        **named,
        "resourceVersion": str(next(VERSIONS)),
        "uid": "u",
    }
    return done(**{**body, "metadata": metadata})


class Bench:
    """Workers over a controller that knows some new Performers."""

    def __init__(
        self,
        server: Server,
        names: list[str],
        *,
        leader: Leader | None = None,
        limit: int = 16,
        clock: Clock | None = None,
        make: Callable[[str], PerformerBuilder] = performer,
        settings: Settings | None = None,
    ) -> None:
        self.clock, self.metrics, self.leader = clock or Clock(), Metrics(), leader or Leader()
        self.controller = Controller(CATALOGUE, settings or Settings())
        for resource in RESOURCES:
            objects = [make(name).build() for name in names] * (resource == "performers")
            take_list(self.controller, resource, objects, str(10**8), self.clock.now())
        self.ready = True
        self.observer = PassReport(self.metrics)
        self.workers = Workers(
            self.controller,
            server,
            MayWrite(self.leader, lambda: self.ready),
            self.clock,
            self.observer,
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


def played(body: Callable[[], Awaitable[None]]) -> None:
    async def play() -> None:
        await body()

    asyncio.run(play())


async def at_work(bench: Bench, body: Coroutine[Any, Any, None]) -> None:
    running, played = asyncio.create_task(bench.workers.run()), asyncio.create_task(body)
    try:
        # Workers never end by themselves.
        done, _ = await asyncio.wait([running, played], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        assert played in done
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_writes_are_performed_in_the_order_of_the_plan() -> None:
    async def body() -> None:
        server = Server()
        bench = Bench(server, ["ml"])

        async def see() -> None:
            assert await server.receive(2) == ["create services", "create pods"]
            await bench.workers.drain(300)
            assert bench.passes("written") == 1.0

        await at_work(bench, see())

    played(body)


TEE_WRITES = ["create services", "create pods", "patch performers/status"]
AT_ONCE = Settings(status_delay=0.0)


def of_any_tee(name: str) -> PerformerBuilder:
    """Its first status comes with an Event."""
    return performer(name).tee()


def test_the_events_of_a_pass_are_written() -> None:
    async def body() -> None:
        server = Server()
        bench = Bench(server, ["one", "two"], make=of_any_tee, settings=AT_ONCE)

        async def see() -> None:
            assert sorted(await server.receive(6)) == sorted(TEE_WRITES * 2)
            while [call.resource for call in server.calls].count("events") < 2:
                await server.receive(1)

        await at_work(bench, see())

    played(body)


def test_at_the_end_events_that_wait_are_written() -> None:
    async def body() -> None:
        server = Server()
        bench = Bench(server, ["one"], make=of_any_tee, settings=AT_ONCE)

        async def see() -> None:
            assert await server.receive(3) == TEE_WRITES
            await bench.workers.drain(300)
            assert server.calls[-1].resource == "events"

        await at_work(bench, see())

    played(body)


def test_an_event_of_a_pass_that_fails_is_not_written() -> None:
    async def body() -> None:
        def answer(call: Request) -> Answer:
            return refused(409) if call.subresource == "status" else accepted(call)

        server = Server(answer)
        bench = Bench(server, ["one"], make=of_any_tee, settings=AT_ONCE)

        async def see() -> None:
            assert await server.receive(3) == TEE_WRITES
            await bench.workers.drain(300)
            assert "events" not in {call.resource for call in server.calls}

        await at_work(bench, see())

    played(body)


def test_a_write_that_fails_ends_its_pass() -> None:
    async def body() -> None:
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

    played(body)


@pytest.mark.parametrize("why", ["another one leads", "not everything is known yet"])
def test_nothing_is_begun_while(why: str) -> None:
    async def body() -> None:
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

    played(body)


def test_a_standby_lets_nobody_wait_however_long_passes_are_due() -> None:
    async def body() -> None:
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

    played(body)


def test_a_write_that_raises_has_failed_and_is_made_again() -> None:
    async def body() -> None:
        def answer(call: Request) -> Answer:
            raise ValueError("the token file is empty")

        server = Server(answer)
        bench = Bench(server, ["ml"])

        async def see() -> None:
            while not bench.passes("failed"):
                await asyncio.sleep(0)
            await bench.workers.drain(300)
            due = bench.controller.queue.next_due()
            assert due is not None
            assert due < bench.clock.now() + 60.0

        await at_work(bench, see())

    played(body)


def test_leadership_that_ends_ends_the_pass_before_its_next_write() -> None:
    async def body() -> None:
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

    played(body)


TIMEOUTS = [("its own", 60.0, 10.0), ("what is left of the leadership", 4.0, 4.0)]


@pytest.mark.parametrize(
    ("leads", "timeout"), [t[1:] for t in TIMEOUTS], ids=[t[0] for t in TIMEOUTS]
)
def test_a_call_has_a_time_out(leads: float, timeout: float) -> None:
    async def body() -> None:
        server = Server()
        bench = Bench(server, ["ml"], leader=Leader(leads))

        async def see() -> None:
            await server.receive(1)
            assert server.timeouts[0] == timeout

        await at_work(bench, see())

    played(body)


def test_no_more_than_so_many_at_once() -> None:
    async def body() -> None:
        server = Server()
        server.gate.clear()
        bench = Bench(server, [f"p{number}" for number in range(9)], limit=3)

        async def see() -> None:
            await server.receive(3)
            server.gate.set()
            await server.receive(15)
            assert server.most_at_once == 3

        await at_work(bench, see())

    played(body)


def test_at_the_end_what_is_under_way_is_finished() -> None:
    async def body() -> None:
        server = Server()
        server.gate.clear()
        bench = Bench(server, ["ml"])

        async def see() -> None:
            await server.receive(1)

        await at_work(bench, see())
        server.gate.set()
        await bench.workers.drain(300)
        assert len(server.calls) == 2

    played(body)


def on_bad_key(function: Callable[..., Any], find_key: Callable[..., tuple[str, str]]) -> Any:
    """A function that raises for the Performer `bad`."""

    def raising(*args: Any) -> Any:
        if find_key(*args)[1] == "bad":
            raise RuntimeError("a mistake")
        return function(*args)

    return raising


@pytest.mark.parametrize("where", ["plan", "_take_in", "ended"])
@pytest.mark.parametrize("writes", [True, False], ids=["with writes", "without writes"])
def test_a_mistake_over_one_performer_is_logged_and_stops_nobody(
    where: str, writes: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        server = Server()
        bench = Bench(server, ["bad", "good"])
        controller, observer = bench.controller, bench.observer
        if not writes:
            plan = controller.plan
            empty = lambda key, now: Plan() if key[1] == "bad" else plan(key, now)  # noqa: E731
            monkeypatch.setattr(controller, "plan", empty)
        owner, find_key = {
            "plan": (controller, lambda key, _: key),
            "_take_in": (controller, lambda done, *_: done.key),
            "ended": (observer, lambda done, *_: done.key),
        }[where]
        raising = on_bad_key(getattr(owner, where), find_key)
        monkeypatch.setattr(owner, where, raising)

        async def see() -> None:
            seen: list[str] = []
            while sum("good" in call for call in seen) < 2:
                await server.receive(1)
                seen.append(str(server.calls[-1]))
            while not bench.passes("error"):
                await asyncio.sleep(0)
            assert "a mistake" in caplog.text
            due = bench.controller.queue.next_due()
            assert due is not None
            # A pass whose outcome was taken in is not made again for a mistake in the metrics.
            assert where == "ended" or bench.clock.now() < due < bench.clock.now() + 60.0

        await at_work(bench, see())

    played(body)


def test_a_pass_that_came_due_while_the_machine_was_suspended_is_made_soon_after() -> None:
    # The timers of an event loop stand still meanwhile; the operator's clock does not.
    timers, suspended = VirtualClock(), 0.0
    clock = Clock(lambda: timers.now + suspended, lambda: timers.now + suspended)
    bench = Bench(Server(), [], clock=clock)
    bench.controller.queue.add(("avs", "ml"), 600.0)
    loop = new_event_loop(timers)
    loop.create_task(bench.workers.run())
    timers.run_until(5.0)
    assert bench.passes("unchanged") == 0.0
    suspended = 3600.0
    timers.run_until(20.0)
    assert bench.passes("unchanged") == 1.0
