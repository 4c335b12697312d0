"""Calls that the API server asks to make later."""

import asyncio
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client import Configuration

from hourglass_operator.transport.api import Api, content_type
from hourglass_operator.transport.calls import Answer, Request, WatchError, no_answer


@dataclass
class Call:
    """One call to a server that answers 429 as often as it has times to come back."""

    later: list[str]
    now: float = 100.0
    sent: list[float] = field(default_factory=list)
    observed: list[int] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def called(self, verb: str, resource: str, code: int, seconds: float) -> None:
        self.observed.append(code)

    async def handle(self, _: web.Request) -> web.Response:
        self.sent.append(self.now - 100.0)
        if not self.later:
            metadata = {"annotations": {"managedFields": "mine"}, "managedFields": [{}]}
            return web.json_response({"metadata": metadata})
        after = self.later.pop(0)
        return web.Response(
            status=429, text="later", headers={"Retry-After": after} if after else {}
        )

    def call(self, *, once: bool = False) -> Answer:
        async def call() -> Answer:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", self.handle)
            async with TestServer(app) as server:
                configuration = Configuration(host=str(server.make_url("")).rstrip("/"))
                configuration.client_session_kwargs = {"trust_env": False}
                api = Api(configuration, 10.0, self, sleep=self.sleep, monotonic=lambda: self.now)
                try:
                    return await api.call(
                        Request("update", "leases", "system", "operator"), once=once
                    )
                finally:
                    await api.close()

        return asyncio.run(call())


def test_a_busy_server_is_asked_again_and_each_request_is_counted() -> None:
    made = Call(["3", "1", "4"])
    answer = made.call()
    assert (answer.code, made.sent, made.observed) == (200, [0, 3, 4, 8], [429, 429, 429, 200])


NO_TIMES = [
    ("without a time to come back", ""),
    ("a date, which only proxies send", "Wed, 21 Oct 2026 07:28:00 GMT"),
]


@pytest.mark.parametrize("after", [n[1] for n in NO_TIMES], ids=[n[0] for n in NO_TIMES])
def test_a_refusal_is_given_back(after: str) -> None:
    made = Call([after])
    answer = made.call()
    assert (answer.code, answer.retry_after, made.sent) == (429, None, [0])


def test_what_may_be_sent_once_only_is() -> None:
    made = Call(["3"])
    answer = made.call(once=True)
    assert (answer.code, answer.retry_after, made.sent, made.now) == (429, 3.0, [0], 100.0)


def test_managed_fields_are_left_out_and_what_is_only_called_so_stays() -> None:
    assert Call([]).call().body == {"metadata": {"annotations": {"managedFields": "mine"}}}


WATCHES: list[tuple[str, int, bytes, list[str], int]] = [
    (
        "events, until the server ends it",
        200,
        b'{"type": "ADDED", "object": {"metadata": {"name": "a", "resourceVersion": "1"}}}\n'
        b'{"type": "DELETED", "object": {"metadata": {"name": "a", "resourceVersion": "2"}}}\n',
        ["ADDED", "DELETED"],
        -1,
    ),
    ("nothing at all", 200, b"", [], -1),
    (
        "an event that says that the himade is lost",
        200,
        b'{"type": "ERROR", "object": {"kind": "Status", "code": 410}}\n',
        [],
        410,
    ),
    ("a refusal", 403, b'{"kind": "Status", "code": 403}', [], 403),
    ("a proxy's page", 200, b"<html>\n", [], 0),
    ("JSON that is no event", 200, b'["ADDED"]\n', [], 0),
    ("an object without metadata", 200, b'{"type": "ADDED", "object": {"a": 1}}\n', [], 0),
    ("an object without a version", 200, b'{"type": "ADDED", "object": {"metadata": {}}}\n', [], 0),
]


@pytest.mark.parametrize(
    ("status", "body", "events", "code"), [w[1:] for w in WATCHES], ids=[w[0] for w in WATCHES]
)
def test_a_watch_gives(status: int, body: bytes, events: list[str], code: int) -> None:
    async def watch() -> tuple[list[str], int]:
        async def handle(_: web.Request) -> web.Response:
            return web.Response(status=status, body=body)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        seen: list[str] = []
        async with TestServer(app) as server:
            configuration = Configuration(host=str(server.make_url("")).rstrip("/"))
            configuration.client_session_kwargs = {"trust_env": False}
            api = Api(configuration, 10.0)
            try:
                watched = api.watch("pods", "", {"timeoutSeconds": "300"})
                seen.extend([event["type"] async for event in watched])
            except WatchError as error:
                return seen, error.answer.code
            finally:
                await api.close()
        return seen, -1

    assert asyncio.run(watch()) == (events, code)


def test_a_watch_does_not_wait_for_ever_for_credentials() -> None:
    async def watch() -> int:
        configuration = Configuration(host="http://127.0.0.1:9")
        configuration.client_session_kwargs = {"trust_env": False}

        async def never(_: Configuration) -> None:
            await asyncio.Event().wait()

        configuration.refresh_api_key_hook = never  # type: ignore[assignment]
        api = Api(configuration, 0.01)
        try:
            async with asyncio.timeout(300.0):
                async for _ in api.watch("pods", "", {"timeoutSeconds": "300"}):
                    pass
        except WatchError as error:
            return error.answer.code
        finally:
            await api.close()
        return -1

    assert asyncio.run(watch()) == 0


def test_credentials_that_cannot_be_read_are_no_answer() -> None:
    async def call() -> Answer:
        configuration = Configuration(host="http://127.0.0.1:9")
        configuration.client_session_kwargs = {"trust_env": False}

        def unreadable(_: Configuration) -> None:
            raise IndexError("the token file is empty")

        configuration.refresh_api_key_hook = unreadable  # type: ignore[assignment]
        api = Api(configuration, 10.0)
        try:
            return await api.call(Request("get", "pods", "avs", "x"))
        finally:
            await api.close()

    assert asyncio.run(call()) == no_answer("the token file is empty")


@pytest.mark.parametrize(
    ("method", "strategic", "expected"),
    [
        ("PUT", False, "application/json"),
        ("PATCH", False, "application/merge-patch+json"),
        ("PATCH", True, "application/strategic-merge-patch+json"),
    ],
)
def test_a_body_says_what_it_is(method: str, strategic: bool, expected: str) -> None:
    assert content_type(method, strategic=strategic) == expected
