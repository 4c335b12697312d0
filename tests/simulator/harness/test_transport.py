"""The simulated transport: lists in parts, time-outs, throttling and the end of watches."""

from collections.abc import Coroutine, Iterable
from contextlib import aclosing
from typing import Any

import pytest

from hourglass_operator.transport.calls import Answer, Request, WatchError
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.clock import Clock
from hourglass_simulator.harness.transport import SimulatedTransport
from hourglass_simulator.virtual_loop import new_event_loop

LATENCY = 0.005
QUERY = {"resourceVersion": "1", "timeoutSeconds": "300", "allowWatchBookmarks": "true"}


class World:
    """An API server, a transport to it, and what a client on virtual time has seen."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.api = APIServer(self.clock)
        self.delay = 0.0
        self.transport = SimulatedTransport(self.api, "operator", self._hook, (), lambda: True)
        self.loop = new_event_loop(self.clock)
        self.seen: list[tuple[float, str]] = []

    def _hook(self, _: str, event: WatchEvent) -> Iterable[tuple[float, WatchEvent]]:
        return [(self.delay if event.type != "BOOKMARK" else 0.0, event)]

    def create(self, name: str) -> None:
        self.api.create("configmaps", {"metadata": {"name": name}}, namespace="default")

    def result(self, work: Coroutine[Any, Any, Answer], until: float = 100.0) -> Answer:
        task = self.loop.create_task(work)
        task.add_done_callback(lambda _: self.saw("answered"))
        self.clock.run_until(until)
        return task.result()

    def saw(self, what: str) -> None:
        self.seen.append((self.clock.now, what))

    def watch(self, until: float) -> None:
        async def watching() -> None:
            try:
                async with aclosing(self.transport.watch("configmaps", "", QUERY)) as events:
                    async for event in events:
                        meta = event["object"]["metadata"]
                        which = meta.get("name") or f"at {meta['resourceVersion']}"
                        self.saw(f"{event['type']} {which}")
                self.saw("ended")
            except WatchError as error:
                self.saw(f"{error.answer.code}")

        self.loop.create_task(watching())
        self.clock.run_until(until)


def listing(**query: str) -> Request:
    return Request("list", "configmaps", "default", query=query)


def test_a_list_comes_in_the_parts_that_were_asked_for() -> None:
    world = World()
    for name in "abc":
        world.create(name)
    first = world.result(world.transport.call(listing(limit="2")))
    token = first.body["metadata"]["continue"]
    rest = world.result(world.transport.call(listing(limit="2", **{"continue": token})), 200.0)
    names = [[item["metadata"]["name"] for item in page.body["items"]] for page in (first, rest)]
    assert names == [["a", "b"], ["c"]]
    assert "continue" not in rest.body["metadata"]


def test_the_rest_of_a_list_is_lost_with_the_history() -> None:
    world = World()
    for name in "abc":
        world.create(name)
    first = world.result(world.transport.call(listing(limit="2")))
    world.create("d")
    world.api.compact("configmaps")
    token = first.body["metadata"]["continue"]
    rest = world.result(world.transport.call(listing(limit="2", **{"continue": token})), 200.0)
    assert (rest.code, rest.reason) == (410, "Expired")


class Strikes:
    """Answers the first so many calls of the operator with an error."""

    def __init__(self, error: Exception, times: int) -> None:
        self._error = error
        self._left = times

    def before(self, call: Call) -> None:
        if call.user == "operator" and self._left:
            self._left -= 1
            raise self._error

    def after(self, call: Call) -> None:
        """Nothing is lost."""


BUSY = APIError(429, "TooManyRequests", "later", {"retryAfterSeconds": 3})
LOST = CallTimeoutError("lost")
ANSWERS: list[tuple[str, Exception, int, float | None, bool, int, float]] = [
    ("at once where nothing is in the way", BUSY, 0, None, False, 200, LATENCY),
    ("after the time that a busy server asks for", BUSY, 2, None, False, 200, 6 + 3 * LATENCY),
    ("with 429 when its time is over", BUSY, 9, 5.0, False, 429, 5.0),
    ("with 429 at once where it may be sent only once", BUSY, 9, None, True, 429, LATENCY),
    ("never, which is known after ten seconds", LOST, 1, None, False, 0, 10.0),
    ("never, which is known after its own time-out", LOST, 1, 4.0, False, 0, 4.0),
    ("never, where it may take less than the way back", BUSY, 0, 0.001, False, 0, 0.001),
]


@pytest.mark.parametrize(
    ("error", "times", "timeout", "once", "code", "took"),
    [a[1:] for a in ANSWERS],
    ids=[a[0] for a in ANSWERS],
)
def test_a_call_is_answered(
    error: Exception, times: int, timeout: float | None, once: bool, code: int, took: float
) -> None:
    world = World()
    world.api.interceptors.append(Strikes(error, times))
    answer = world.result(world.transport.call(listing(), timeout=timeout, once=once))
    assert answer.code == code
    ((when, _),) = world.seen
    assert when == pytest.approx(took)


def test_a_watch_says_how_far_it_is_and_ends_when_it_was_asked_to() -> None:
    world = World()
    world.clock.at(70.0, lambda: world.create("a"))
    version = world.api.resource_version
    world.watch(301.0)
    kinds = [what.split()[0] for _, what in world.seen]
    assert kinds == ["BOOKMARK", "ADDED", *["BOOKMARK"] * 3, "ended"]
    bookmarks = [what for _, what in world.seen if what.startswith("BOOKMARK")]
    assert bookmarks == [
        f"BOOKMARK at {version}",
        *[f"BOOKMARK at {world.api.resource_version}"] * 3,
    ]
    assert world.seen[-1] == (300.0, "ended")


def test_no_bookmark_overtakes_an_event_and_no_event_the_end() -> None:
    world = World()
    world.delay = 20.0
    world.clock.at(50.0, lambda: world.create("a"))
    world.clock.at(290.0, lambda: world.create("b"))
    world.watch(320.0)
    kinds = [what for _, what in world.seen if not what.startswith("BOOKMARK")]
    assert kinds == ["ADDED a", "ADDED b", "ended"]
    assert world.seen[0][1] == "ADDED a"


def test_a_watch_that_is_dropped_breaks_off_at_once() -> None:
    world = World()
    world.clock.at(10.0, lambda: world.transport.drop("pods"))
    world.clock.at(20.0, lambda: world.transport.drop("configmaps"))
    world.watch(30.0)
    assert world.seen == [(20.0, "0")]


def test_nobody_waits_at_this_end_of_what_is_closed() -> None:
    world = World()
    world.clock.at(20.0, world.transport.close)
    world.watch(400.0)
    assert world.seen == []
