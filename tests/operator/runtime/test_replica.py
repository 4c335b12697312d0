"""A replica from its start to its end: what it watches, when it writes, and how it stops."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from builders import CATALOGUE, performer
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.controller.cache import RESOURCES
from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.informers.informer import Informer
from hourglass_operator.runtime.leadership.lease import Candidate
from hourglass_operator.runtime.replica import Options, Replica
from hourglass_operator.runtime.workers.workers import PassObserver
from hourglass_operator.transport.calls import Answer, EventStream, Request
from hourglass_simulator.clock import Clock as VirtualClock
from hourglass_simulator.virtual_loop import new_event_loop
from scene import take_list
from scripted_api import done, refused

CANDIDATE = Candidate("me", "operator", "system", 15.0, 10.0)
NEVER = 1e6
"""Seconds after which nobody waits any more."""


class Server:
    """Accepts every write after so many seconds; calls on Leases take `lease_seconds` each."""

    server = "https://api.test"

    def __init__(self, write_seconds: float = 0.0) -> None:
        self.write_seconds = write_seconds
        self.lease_seconds = 0.0
        self.lease: dict[str, Any] | None = None
        self.calls: list[str] = []

    async def call(
        self, request: Request, *, timeout: float | None = None, once: bool = False
    ) -> Answer:
        if request.verb == "list":
            return done(metadata={"resourceVersion": "1"}, items=[])
        assert timeout is not None
        lease = request.resource == "leases"
        seconds = self.lease_seconds if lease else self.write_seconds
        await asyncio.sleep(min(seconds, timeout))
        if seconds > timeout:
            return Answer(0, {"message": "no answer"})
        if request.verb == "get":
            return refused(404) if self.lease is None else done(**self.lease)
        if lease:
            self.lease = dict(request.body or {})
        self.calls.append(f"{request.verb} {request.resource}")
        body = request.body or {}
        metadata = {**body.get("metadata", {}), "uid": "u", "resourceVersion": str(10**9)}
        return done(**{**body, "metadata": metadata})

    def watch(self, resource: str, namespace: str, query: Mapping[str, str]) -> EventStream:
        raise AssertionError("the sources of the test watch nothing")

    @property
    def holder(self) -> str:
        assert self.lease is not None
        return str(self.lease["spec"]["holderIdentity"])


class Source:
    """An informer that takes so many seconds to end, or raises at the start."""

    def __init__(self, resource: str, ends_after: float = 0.0, raises: bool = False) -> None:
        self.resource = resource
        self.has_synced = True
        self._ends_after = ends_after
        self._raises = raises

    async def run(self) -> None:
        if self._raises:
            raise ZeroDivisionError
        try:
            await asyncio.sleep(NEVER)
        except asyncio.CancelledError:
            await asyncio.sleep(self._ends_after)


class World:
    """A replica over one Performer that is yet to be reconciled, on virtual time."""

    def __init__(
        self,
        server: Server,
        *sources: Source,
        candidate: Candidate | None = CANDIDATE,
        namespaces: tuple[str, ...] = (),
    ) -> None:
        self.server = server
        self.clock = VirtualClock()
        self.controller = Controller(CATALOGUE, Settings())
        for resource in RESOURCES:
            objects = [performer("ml").build()] * (resource == "performers")
            take_list(self.controller, resource, objects, str(10**8), 0.0)
        self.changes: list[bool] = []
        self.looked_at = 0
        self.ended_at: float | None = None
        self.error: BaseException | None = None
        self.sources = sources or (Source("pods"),)
        now = lambda: self.clock.now  # noqa: E731
        self.replica = Replica(
            self.controller,
            server,
            Clock(now, now),
            self._observer(),
            Options(candidate=candidate, namespaces=namespaces, shutdown_timeout=25.0),
            self.changes.append,
        )
        self.loop = new_event_loop(self.clock)

    def _observer(self) -> PassObserver:
        world = self

        class Counts(PassObserver):
            def begun(self, waited: float) -> None:
                world.looked_at += 1

        return Counts()

    def run(self, until: float, stop_at: float = NEVER) -> None:
        async def life() -> None:
            stop = asyncio.Event()
            self.loop.call_at(stop_at, stop.set)
            try:
                await self.replica.run(self.sources, stop)
            except ZeroDivisionError as error:
                self.error = error
            self.ended_at = self.clock.now

        self.loop.create_task(life())
        self.clock.run_until(until)


def test_what_is_watched_is_listed_in_each_namespace_and_nodes_everywhere() -> None:
    def places(namespaces: tuple[str, ...]) -> list[tuple[str, str]]:
        replica = World(Server(), namespaces=namespaces).replica
        informers = replica.informers(("nodes", "pods"))
        assert all(isinstance(each, Informer) for each in informers)
        return [(each.resource, each._namespace) for each in informers]  # type: ignore[attr-defined]

    assert places(()) == [("nodes", ""), ("pods", "")]
    assert places(("b", "a")) == [("nodes", ""), ("pods", "a"), ("pods", "b")]


def test_nothing_is_known_before_it_runs() -> None:
    assert not World(Server()).replica.has_synced()


@pytest.mark.parametrize("candidate", [CANDIDATE, None], ids=["by a Lease", "without election"])
def test_it_leads_and_writes(candidate: Candidate | None) -> None:
    world = World(Server(), candidate=candidate)
    world.run(1.0)
    assert "create pods" in world.server.calls
    assert world.changes == ([True] if candidate else [])


def test_it_writes_nothing_while_a_resource_is_not_known() -> None:
    nodes = Source("nodes")
    nodes.has_synced = False
    world = World(Server(), Source("pods"), nodes)
    world.run(10.0)
    assert world.replica.unsynced() == ["nodes"]
    assert set(world.server.calls) <= {"create leases", "update leases"}


def test_every_performer_is_looked_at_once_in_a_resync_period() -> None:
    world = World(Server())
    world.run(299.0)
    before = world.looked_at
    world.clock.run_until(301.0)
    assert world.looked_at == before + 1


SHORT, LONG = 5.0, 7.9
"""Seconds of a write. A pass has two: for two short ones there is time enough at the end."""
ENDS: list[tuple[str, Server, Source, float, bool]] = [
    ("nothing is under way", Server(), Source("pods"), 0.0, True),
    ("writes are under way", Server(write_seconds=SHORT), Source("pods"), 15.0, True),
    # A write whose answer nobody awaits may be carried out after another has begun to lead.
    ("writes are broken off", Server(write_seconds=LONG), Source("pods"), 15.0, False),
    ("an informer takes its time", Server(), Source("pods", ends_after=5.0), 5.0, True),
    ("an informer never ends", Server(), Source("pods", ends_after=NEVER), 25.0, True),
]


@pytest.mark.parametrize(
    ("server", "source", "seconds", "gives_up"),
    [e[1:] for e in ENDS],
    ids=[e[0] for e in ENDS],
)
def test_it_ends_by_its_deadline_and_gives_the_lease_up_where(
    server: Server, source: Source, seconds: float, gives_up: bool
) -> None:
    world = World(server, source)
    world.run(100.0, stop_at=0.5)
    assert world.ended_at is not None
    assert world.ended_at - 0.5 <= seconds
    assert (server.holder == "") == gives_up


def test_a_lease_that_cannot_be_given_up_does_not_keep_it() -> None:
    world = World(Server(), Source("pods", ends_after=5.0))
    world.loop.call_at(4.5, setattr, world.server, "lease_seconds", NEVER)
    world.run(100.0, stop_at=5.0)
    assert world.ended_at is not None
    assert world.ended_at - 5.0 <= 25.0


def test_a_part_that_fails_ends_it_and_is_raised() -> None:
    world = World(Server(), Source("pods"), Source("nodes", raises=True))
    world.run(30.0)
    assert isinstance(world.error, ZeroDivisionError)
