"""What the API server warns of: read from its headers, and logged once."""

import asyncio
import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client import Configuration

from hourglass_operator.transport.api import Api
from hourglass_operator.transport.calls import Request
from hourglass_operator.transport.server_warnings import ServerWarnings, warning_texts

HEADERS = [
    ("no header", [], []),
    (
        "a deprecated endpoint",
        ['299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'],
        ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"],
    ),
    (
        "quotes and backslashes",
        [r'299 - "would violate PodSecurity \"restricted:latest\": C:\\"'],
        ['would violate PodSecurity "restricted:latest": C:\\'],
    ),
    ("several headers", ['299 - "a"', '299 - "b"'], ["a", "b"]),
    ("several in one header", ['299 - "a, 1", 299 - "b"'], ["a, 1", "b"]),
    ("one with a date", ['299 - "a" "Tue, 01 Dec 2026 00:00:00 GMT", 299 - "b"'], ["a", "b"]),
    ("one that a proxy adds: its answer is old", ['110 proxy "Response is Stale"'], []),
    ("an empty one", ['299 - ""'], []),
    ("what is no warning", ["299 nonsense", "deprecated"], []),
]


@pytest.mark.parametrize(
    ("headers", "texts"), [h[1:] for h in HEADERS], ids=[h[0] for h in HEADERS]
)
def test_warnings_are_read_from(headers: list[str], texts: list[str]) -> None:
    assert list(warning_texts(headers)) == texts


def test_a_long_text_is_cut() -> None:
    (text,) = warning_texts([f'299 - "{"a" * 9000}"'])
    assert len(text) == 500


def test_each_text_is_logged_once_whatever_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(headers={"Warning": '299 - "v1 is deprecated"'})

    async def ask() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        async with TestServer(app) as server:
            configuration = Configuration(host=str(server.make_url("")).rstrip("/"))
            configuration.client_session_kwargs = {"trust_env": False}
            api = Api(configuration, 10.0)
            try:
                await api.call(Request("get", "pods", "avs", "a"))
                await api.call(Request("get", "pods", "avs", "b"))
                async for _ in api.watch("services", "avs", {"timeoutSeconds": "1"}):
                    pass
            finally:
                await api.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(ask())
    assert [record.getMessage() for record in caplog.records] == [
        "the API server warns, asked to GET /api/v1/namespaces/avs/pods/a: v1 is deprecated"
    ]


def test_texts_without_end_are_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    warned = ServerWarnings()
    with caplog.at_level(logging.WARNING):
        for number in range(1001):
            warned.log("POST /pods", [f'299 - "{number}"'])
        warned.log("POST /pods", ['299 - "1000"'])
        warned.log("POST /pods", ['299 - "0"'])
    assert len(caplog.records) == 1002
