"""List, watch from there, list anew: what reaches the store, and when it has synced."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from random import Random
from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_operator.controller.event_handler import EventHandler
from hourglass_operator.runtime.informers.informer import PAGE, Informer
from hourglass_operator.runtime.informers.store import Store
from hourglass_operator.transport.calls import Answer, EventStream, Request, WatchError, no_answer
from hourglass_simulator.clock import Clock
from hourglass_simulator.virtual_loop import new_event_loop
from scripted_api import Script, done, refused

REFUSED = refused(403, "Forbidden", "no")
BUSY = refused(429, "TooManyRequests", "later")
TROUBLE = refused(500, "InternalError", "etcd is away")
EXPIRED = refused(410, "Expired", "too old")
LOST = no_answer("the connection was lost")
ENDED = "the server ends the watch"
OPEN = "the watch stays open"


def pod(name: str, version: int) -> JSON:
    return {"metadata": {"namespace": "avs", "name": name, "resourceVersion": str(version)}}


def page(*names: str, version: int = 10, more: str = "") -> Answer:
    metadata = {"resourceVersion": str(version), "continue": more}
    return done(metadata=metadata, items=[pod(name, version) for name in names])


def event(kind: str, name: str, version: int) -> JSON:
    return {"type": kind, "object": pod(name, version)}


BOOKMARK = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "99"}}}


class Stream:
    """One watch: events, then what ends it."""

    def __init__(self, steps: list[Any]) -> None:
        self._steps = steps

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> JSON:
        # Time passes between two events, so that the watch has lasted.
        await asyncio.sleep(2.0)
        step = self._steps.pop(0) if self._steps else OPEN
        if step == OPEN:
            await asyncio.get_running_loop().create_future()
        if step == ENDED:
            raise StopAsyncIteration
        if isinstance(step, Answer):
            raise WatchError(step)
        assert isinstance(step, dict)
        return step

    async def aclose(self) -> None:
        """Nothing is open."""


class Refusal(Stream):
    """A watch that is refused at once."""

    def __init__(self, answer: Answer) -> None:
        super().__init__([])
        self._answer = answer

    async def __anext__(self) -> JSON:
        raise WatchError(self._answer)


class Server(Script):
    """Answers lists by `lists`, and watches by `watches`."""

    def __init__(self, lists: list[Answer], watches: list[Any]) -> None:
        super().__init__(*lists)
        self.watches = watches
        self.watched: list[Mapping[str, str]] = []

    def watch(self, resource: str, namespace: str, query: Mapping[str, str]) -> EventStream:
        assert (resource, namespace) == ("pods", "avs")
        self.watched.append(query)
        script = self.watches.pop(0) if self.watches else [OPEN]
        return Refusal(script) if isinstance(script, Answer) else Stream(script)


class Seen(EventHandler):
    """What has reached the handler."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def watched(self, resource: str, event: str, obj: Mapping[str, Any], now: float) -> None:
        if obj["metadata"]["name"] == "broken":
            raise KeyError("spec")
        self.seen.append(f"{event} {obj['metadata']['name']}")

    def listed(self, resource: str, obj: Mapping[str, Any], version: str, now: float) -> None:
        self.watched(resource, "ADDED", obj, now)

    def absent(self, resource: str, now: float) -> None:
        self.seen.append(f"{resource} are not served")

    def retain(
        self, resource: str, names: Collection[Any], version: str, now: float, namespace: str = ""
    ) -> None:
        listed = " ".join(sorted(name for _, name in names))
        self.seen.append(f"only {listed or 'nothing'} in {namespace} at {version}")


class Run:
    """An informer that has run for so many virtual seconds."""

    def __init__(
        self,
        lists: list[Answer],
        watches: list[Any],
        seconds: float = 60.0,
        *,
        optional: bool = False,
    ) -> None:
        self.server = Server(lists, watches)
        handler = Seen()
        clock = Clock()
        self.clock = clock
        self.store = Store(handler, lambda: clock.now, lambda: None)
        self.informer = Informer(
            self.server,
            self.store,
            "pods",
            "app=performer",
            "avs",
            random=Random(1),
            optional=optional,
        )
        loop = new_event_loop(clock)
        loop.create_task(self.informer.run())
        clock.run_until(seconds)
        self.seen = handler.seen


CASES: list[tuple[str, list[Answer], list[Any], list[str], list[str]]] = [
    (
        "a list, then what happens",
        [page("a", "b")],
        [[event("MODIFIED", "a", 11), event("DELETED", "b", 12)]],
        ["ADDED b", "ADDED a", "only a b in avs at 10", "MODIFIED a", "DELETED b"],
        ["10"],
    ),
    (
        "a list in parts is complete with its last",
        [page("a", more="next"), page("b")],
        [],
        ["ADDED a", "ADDED b", "only a b in avs at 10"],
        ["10"],
    ),
    (
        "a list whose rest is lost is made again, whole",
        [page("a", more="next"), EXPIRED, page("b", version=20)],
        [],
        ["ADDED a", "ADDED b", "only b in avs at 20"],
        ["20"],
    ),
    (
        "a list that fails is made again",
        [TROUBLE, BUSY, page()],
        [],
        ["only nothing in avs at 10"],
        ["10"],
    ),
    (
        "a page of a proxy is no list",
        [done(message="<html>"), page()],
        [],
        ["only nothing in avs at 10"],
        ["10"],
    ),
    (
        "a list without a version is none",
        [done(metadata={"resourceVersion": ""}, items=[]), page()],
        [],
        ["only nothing in avs at 10"],
        ["10"],
    ),
    (
        "a list of what has no name is none",
        [done(metadata={"resourceVersion": "9"}, items=[{"metadata": {}}]), page()],
        [],
        ["only nothing in avs at 10"],
        ["10"],
    ),
    (
        "a list of what are no objects is none",
        [done(metadata={"resourceVersion": "9"}, items=[None]), page()],
        [],
        ["only nothing in avs at 10"],
        ["10"],
    ),
    (
        "a watch that the server ends is resumed where it was",
        [page()],
        [[event("ADDED", "a", 11), ENDED], [event("ADDED", "b", 12)]],
        ["only nothing in avs at 10", "ADDED a", "ADDED b"],
        ["10", "11"],
    ),
    (
        "a watch that breaks off is resumed from the last bookmark",
        [page()],
        [[BOOKMARK, LOST], [event("ADDED", "a", 100)]],
        ["only nothing in avs at 10", "ADDED a"],
        ["10", "99"],
    ),
    (
        "without its history everything is listed anew",
        [page("a"), page("b", version=50)],
        [[EXPIRED]],
        ["ADDED a", "only a in avs at 10", "ADDED b", "only b in avs at 50"],
        ["10", "50"],
    ),
    (
        "a watch that fails is tried again before anything is listed",
        [page()],
        [TROUBLE, LOST, [event("ADDED", "a", 11)]],
        ["only nothing in avs at 10", "ADDED a"],
        ["10", "10", "10"],
    ),
    (
        "where no watch can be had, lists take its place",
        [page(), page("a", version=20)],
        [TROUBLE, TROUBLE, TROUBLE],
        ["only nothing in avs at 10", "ADDED a", "only a in avs at 20"],
        ["10", "10", "10", "20"],
    ),
    (
        "a watch that is refused is begun with a list",
        [page(), page(version=20)],
        [REFUSED],
        ["only nothing in avs at 10", "only nothing in avs at 20"],
        ["10", "20"],
    ),
    (
        "an object that cannot be read is left out",
        [page("a", "broken", "c")],
        [[event("ADDED", "broken", 11), event("ADDED", "d", 12)]],
        ["ADDED c", "ADDED a", "only a broken c in avs at 10", "ADDED d"],
        ["10"],
    ),
]


@pytest.mark.parametrize(
    ("lists", "watches", "seen", "versions"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_reaches_the_store(
    lists: list[Answer], watches: list[Any], seen: list[str], versions: list[str]
) -> None:
    run = Run(list(lists), list(watches))
    assert run.seen == seen
    assert [query["resourceVersion"] for query in run.server.watched] == versions
    assert run.informer.has_synced


def test_it_asks_for_parts_and_bookmarks_of_what_it_is_to_select() -> None:
    run = Run([page("a", more="next"), page()], [])
    selector = {"labelSelector": "app=performer"}
    assert [dict(call.query) for call in run.server.calls] == [
        {"limit": str(PAGE), **selector},
        {"limit": str(PAGE), **selector, "continue": "next"},
    ]
    (query,) = run.server.watched
    assert (query["allowWatchBookmarks"], query["labelSelector"]) == ("true", "app=performer")
    assert 300 <= int(query["timeoutSeconds"]) <= 600


def test_it_has_not_synced_before_its_first_list_is_complete() -> None:
    assert not Run([page("a", more="next"), TROUBLE] + [TROUBLE] * 9, []).informer.has_synced


@pytest.mark.parametrize(
    "answer",
    [REFUSED, EXPIRED, TROUBLE],
    ids=["is forbidden", "has always lost its history", "always fails"],
)
def test_lists_are_ever_rarer_while_every_watch(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run([page() for _ in range(1000)], [answer] * 1000, 600.0)
    assert 3 <= len(run.server.calls) <= 25
    assert len(caplog.records) <= 1


def test_who_asks_to_be_left_alone_for_a_day_is_for_a_minute() -> None:
    run = Run([Answer(429, {}, retry_after=86_400.0), page()], [], 61.0)
    assert run.informer.has_synced


def test_who_may_not_watch_any_more_knows_nothing_for_sure() -> None:
    lists = [page(), *[REFUSED] * 20]
    assert not Run(lists, [[event("ADDED", "a", 11), REFUSED]]).informer.has_synced


@pytest.mark.parametrize("code", [401, 403, 404])
def test_it_has_synced_from_the_list_to_the_moment_a_watch_is_refused(code: int) -> None:
    class Refuses(Stream):
        async def __anext__(self) -> JSON:
            synced.append(informer.has_synced)
            # What it takes the answer to arrive.
            await asyncio.sleep(0.5)
            raise WatchError(refused(code))

    synced: list[bool] = []
    server, clock = Server([page()], []), Clock()
    server.watch = lambda *_: Refuses([])  # type: ignore[method-assign]
    informer = Informer(
        server, Store(Seen(), lambda: 0.0, lambda: None), "pods", "", "avs", random=Random(1)
    )
    new_event_loop(clock).create_task(informer.run())
    clock.run_until(0.4)
    assert (synced, informer.has_synced) == ([True], True)
    clock.run_until(0.6)
    assert not informer.has_synced


def test_a_lost_connection_leaves_what_is_known() -> None:
    assert Run([page(), *[LOST] * 20], [LOST] * 40).informer.has_synced


def test_a_server_that_ends_every_watch_at_once_is_not_asked_at_once() -> None:
    class Ends(Stream):
        async def __anext__(self) -> JSON:
            raise StopAsyncIteration

    watched: list[str] = []

    def watch(resource: str, namespace: str, query: Mapping[str, str]) -> EventStream:
        watched.append(query["resourceVersion"])
        return Ends([])

    server = Server([page()], [])
    server.watch = watch  # type: ignore[method-assign]
    clock = Clock()
    store = Store(Seen(), lambda: clock.now, lambda: None)
    loop = new_event_loop(clock)
    loop.create_task(Informer(server, store, "pods", "", "avs", random=Random(1)).run())
    clock.run_until(60.0)
    assert 3 < len(watched) < 12


def test_the_same_failure_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Run([REFUSED, REFUSED, REFUSED, page()], [LOST, LOST])
    assert [record.getMessage() for record in caplog.records] == ["cannot list pods: no"]


def test_what_was_received_is_counted() -> None:
    run = Run([page("a", "b")], [[event("MODIFIED", "a", 11), BOOKMARK]])
    assert run.store.received == {"pods": 3}


def test_what_need_not_be_served_is_known_when_it_is_not(caplog: pytest.LogCaptureFixture) -> None:
    absent = refused(404, "NotFound", "the server could not find the requested resource")
    run = Run([absent, absent, page("a")], [], seconds=100.0, optional=True)
    assert run.seen[:2] == ["pods are not served"] * 2
    assert run.informer.has_synced
    assert not caplog.records
    run.clock.run_until(200.0)
    assert run.seen[2:] == ["ADDED a", "only a in avs at 10"]


def test_who_may_not_list_what_need_not_be_served_knows_nothing() -> None:
    assert not Run([REFUSED] * 20, [], optional=True).informer.has_synced


def test_requests_are_of_one_namespace() -> None:
    run = Run([page()], [])
    assert run.server.calls == [
        Request(
            "list",
            "pods",
            "avs",
            query={"limit": str(PAGE), "labelSelector": "app=performer"},
        )
    ]
