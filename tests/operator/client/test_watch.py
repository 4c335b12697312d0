"""Lists and watches that go wrong, from a source that plays a script."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from builders import performer
from hourglass_kube.types import JSON
from hourglass_operator.client.errors import ForbiddenError, RequestError, UnavailableError, refusal
from hourglass_operator.client.performer import Performer
from hourglass_operator.client.watch import Watch


def error(code: int, message: str = "cannot") -> RequestError:
    return refusal("watch", "avs", "", code, {"message": message})


def busy(seconds: float) -> RequestError:
    refused = error(429)
    assert isinstance(refused, UnavailableError)
    refused.retry_after = seconds
    return refused


def obj(name: str, uid: str = "1", version: str = "1") -> JSON:
    body = performer(name).build()
    body["metadata"] |= {"uid": uid, "resourceVersion": version}
    return body


def lists(*objects: JSON, version: str = "10") -> JSON:
    return {"metadata": {"resourceVersion": version}, "items": list(objects)}


def event(type_: str, body: JSON) -> JSON:
    return {"type": type_, "object": body}


class Source:
    """Plays its steps in turn: a list's answer, the events of a watch, or an error."""

    def __init__(self, *steps: JSON | list[JSON] | RequestError) -> None:
        self.steps = list(steps)
        self.asked: list[str] = []

    async def list(self, query: Mapping[str, str]) -> JSON:
        self.asked.append("list")
        answer: JSON = self._next(dict)
        return answer

    async def watch(self, query: Mapping[str, str]) -> AsyncGenerator[JSON]:
        self.asked.append(query["resourceVersion"])
        for item in self._next(list):
            yield item

    def _next(self, kind: type) -> Any:
        if not self.steps:
            raise error(403)
        step = self.steps.pop(0)
        if isinstance(step, RequestError):
            raise step
        assert isinstance(step, kind), step
        return step


def play(source: Source, *known: JSON) -> tuple[list[tuple[str, str, str]], list[float]]:
    """(type, name, uid) of each change and the pauses, until the script is over: forbidden."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def follow() -> list[tuple[str, str, str]]:
        seen = []
        watch = Watch(source, {}, [Performer.from_json(body) for body in known], sleep)
        with suppress(ForbiddenError):
            async for type_, found in watch.changes():
                seen.append((str(type_), found.name, found.metadata.uid))
        return seen

    return asyncio.run(follow()), pauses


def test_a_watch_that_ends_goes_on_where_it_was() -> None:
    source = Source(
        lists(obj("a")),
        [event("MODIFIED", obj("a", version="11"))],
        [event("BOOKMARK", {"metadata": {"resourceVersion": "20"}})],
        [event("DELETED", obj("a", version="21"))],
    )
    seen, pauses = play(source)
    assert [type_ for type_, _, _ in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert source.asked == ["list", "10", "11", "20", "21"]
    assert pauses == []


@pytest.mark.parametrize(
    ("before", "after", "types"),
    [
        pytest.param([obj("a")], [obj("a")], [], id="what has not changed is not reported again"),
        pytest.param([obj("a")], [obj("a", version="2")], ["MODIFIED"], id="a change is reported"),
        pytest.param([obj("a")], [], ["DELETED"], id="what is gone is reported as deleted"),
        pytest.param([], [obj("a")], ["ADDED"], id="what is new is reported as added"),
        pytest.param(
            [obj("a")],
            [obj("a", uid="2")],
            ["DELETED", "ADDED"],
            id="another object of the same name is a deletion and an addition",
        ),
    ],
)
def test_after_lost_history_the_difference_is_reported(
    before: list[JSON], after: list[JSON], types: list[str]
) -> None:
    source = Source(lists(*before), error(410), lists(*after, version="30"))
    seen, _ = play(source)
    assert [type_ for type_, _, _ in seen[len(before) :]] == types
    assert source.asked == ["list", "10", "list", "30"]


def test_what_is_known_beforehand_is_not_reported_unless_it_is_gone() -> None:
    assert play(Source(lists(obj("a"))), obj("a")) == ([], [])
    assert play(Source(lists()), obj("a")) == ([("DELETED", "a", "1")], [])


def test_an_api_server_that_is_away_is_tried_ever_less_often() -> None:
    _, pauses = play(Source(*[error(0)] * 6, lists(), *[error(503)] * 2))
    assert pauses == [0.5, 1, 2, 4, 8, 8, 0.5, 1]


def test_an_api_server_that_says_when_to_come_back_is_tried_then() -> None:
    _, pauses = play(Source(lists(), busy(5), busy(0), busy(3), error(0)))
    assert pauses == [5, 1, 3, 4]


def test_a_watch_that_shows_nothing_is_not_begun_again_at_once() -> None:
    _, pauses = play(Source(lists(), [], [], [event("ADDED", obj("a"))]))
    assert pauses == [0.5, 0.5]


def test_after_an_event_it_is_tried_soon_again() -> None:
    heard = [event("ADDED", obj("a"))]
    _, pauses = play(Source(lists(), error(0), error(0), heard, error(0)))
    assert pauses == [0.5, 1, 0.5]


@pytest.mark.parametrize("code", [0, 429, 500, 503])
def test_trouble_is_remembered_until_something_is_heard(code: int) -> None:
    trouble: list[Any] = []
    source = Source(error(code), lists(obj("a")))
    watch: Watch

    async def sleep(_: float) -> None:
        trouble.append(watch.trouble)

    async def follow() -> None:
        with suppress(ForbiddenError):
            async for change in watch.changes():
                assert change.performer.name == "a"
                trouble.append(watch.trouble)

    watch = Watch(source, {}, sleep=sleep)
    asyncio.run(follow())
    assert [error and error.code for error in trouble] == [code, None]
    assert watch.trouble is None
