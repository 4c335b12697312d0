"""kopf as the informer of Performers: what it lists and watches, and that it begins anew."""

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.client import Configuration

from builders import performer
from hourglass_operator.api.crd import generate
from hourglass_operator.controller.event_handler import EventHandler
from hourglass_operator.runtime.informers import kopf_performers
from hourglass_operator.runtime.informers.informer import PAGE
from hourglass_operator.runtime.informers.kopf_performers import KopfPerformers
from hourglass_operator.runtime.informers.store import Store
from hourglass_operator.transport.api import Api
from hourglass_operator.transport.connection import connection
from hourglass_simulator.apiserver import continuing
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.served import Served, served

GUARD = 300.0
"""Seconds after which a test that hangs is ended."""


class Recorder(EventHandler):
    """What the informer has put into the store."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.lists: list[list[str]] = []
        self.changed = asyncio.Event()
        self.pauses = 0

    async def pause(self, _: float) -> None:
        self.pauses += 1
        self.changed.set()
        await asyncio.sleep(0)

    def watched(self, resource: str, event: str, obj: Mapping[str, Any], now: float) -> None:
        assert resource == "performers"
        self.seen.append(f"{event} {obj['metadata']['name']}")

    def listed(self, resource: str, obj: Mapping[str, Any], version: str, now: float) -> None:
        self.watched(resource, "ADDED", obj, now)

    def retain(
        self, resource: str, names: Collection[Any], version: str, now: float, namespace: str = ""
    ) -> None:
        self.lists.append(sorted(name for _, name in names))

    async def wait(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(GUARD):
            while not holds():
                await self.changed.wait()
                self.changed.clear()


Test = Callable[[KopfPerformers, Recorder], Awaitable[None]]


async def run(
    configuration: Configuration,
    test: Test,
    namespaces: tuple[str, ...] = (),
    first_page: float = 30.0,
) -> None:
    recorder = Recorder()
    api = Api(configuration, 10.0)
    informer = KopfPerformers(
        api,
        configuration,
        Store(recorder, lambda: 0.0, recorder.changed.set),
        namespaces,
        spawned=lambda: None,
        ended=recorder.changed.set,
        sleep=recorder.pause,
        first_page=first_page,
    )
    running = asyncio.create_task(informer.run())
    try:
        await test(informer, recorder)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await api.close()


def create(there: Served, name: str, namespace: str = "default") -> None:
    made = performer(name).build()
    obj = {key: made[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": name}}
    with there.lock:
        there.cluster.api.create("performers", obj, namespace=namespace)


@contextmanager
def cluster(tmp_path: Path) -> Iterator[tuple[Served, Configuration]]:
    with served(Cluster(crd=generate())) as there:
        there.write_kubeconfig(tmp_path / "kubeconfig")
        yield there, asyncio.run(connection(tmp_path / "kubeconfig", None))


def test_it_has_synced_when_its_list_is_in_the_store(tmp_path: Path) -> None:
    async def test(informer: KopfPerformers, recorder: Recorder) -> None:
        assert not informer.has_synced
        await recorder.wait(lambda: informer.has_synced)
        assert (sorted(recorder.seen), recorder.lists) == (["ADDED a", "ADDED b"], [["a", "b"]])
        create(there, "c")
        await recorder.wait(lambda: recorder.seen[-1] == "ADDED c")

    with cluster(tmp_path) as (there, configuration):
        create(there, "a")
        create(there, "b")
        asyncio.run(run(configuration, test))


def test_what_the_api_server_warns_of_is_heeded_in_answers_to_kopf_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[str | None] = []
    monkeypatch.setattr(
        Api, "heed_warnings", lambda _, response: pages.append(response.url.query.get("limit"))
    )

    async def test(informer: KopfPerformers, recorder: Recorder) -> None:
        await recorder.wait(lambda: informer.has_synced)

    with cluster(tmp_path) as (_, configuration):
        asyncio.run(run(configuration, test))
    assert str(PAGE) in pages


def test_an_empty_cluster_is_known_as_soon_as_it_was_listed(tmp_path: Path) -> None:
    async def test(informer: KopfPerformers, recorder: Recorder) -> None:
        await recorder.wait(lambda: informer.has_synced)
        assert (recorder.seen, recorder.lists) == ([], [[]])

    with cluster(tmp_path) as (_, configuration):
        asyncio.run(run(configuration, test))


def test_of_several_namespaces_each_is_listed(tmp_path: Path) -> None:
    async def test(informer: KopfPerformers, recorder: Recorder) -> None:
        await recorder.wait(lambda: informer.has_synced)
        assert sorted(recorder.lists) == [[], ["a"]]

    with cluster(tmp_path) as (there, configuration):
        create(there, "a")
        with there.lock:
            there.cluster.api.create("namespaces", {"metadata": {"name": "other"}})
        asyncio.run(run(configuration, test, ("default", "other")))


def test_a_list_whose_rest_is_lost_is_made_again_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As where continue tokens expire before the next page is asked for, however often.
    def lost(token: str) -> continuing.Place:
        raise continuing.expired(continuing.Place(1, "a"))

    monkeypatch.setattr(continuing, "place", lost)
    monkeypatch.setattr(kopf_performers, "PAGE", 2)

    async def test(informer: KopfPerformers, recorder: Recorder) -> None:
        await recorder.wait(lambda: informer.has_synced or recorder.pauses > 0)
        assert informer.has_synced
        assert recorder.lists == [["a", "b", "c"]]
        create(there, "d")
        await recorder.wait(lambda: recorder.seen[-1] == "ADDED d")

    with cluster(tmp_path) as (there, configuration):
        for name in ("a", "b", "c"):
            create(there, name)
        asyncio.run(run(configuration, test))


def test_a_definition_that_comes_later_is_watched_then(tmp_path: Path) -> None:
    async def test(informer: KopfPerformers, recorder: Recorder) -> None:
        await recorder.wait(lambda: recorder.pauses > 0)
        assert not informer.has_synced
        with there.lock:
            there.cluster.api.create("customresourcedefinitions", generate())
        create(there, "a")
        await recorder.wait(lambda: informer.has_synced)
        assert recorder.lists == [["a"]]

    with served(Cluster()) as there:
        there.write_kubeconfig(tmp_path / "kubeconfig")
        configuration = asyncio.run(connection(tmp_path / "kubeconfig", None))
        asyncio.run(run(configuration, test))


def test_the_process_is_not_killed_after_kopf_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[Callable[..., object]] = []

    async def test(informer: KopfPerformers, recorder: Recorder) -> None:
        loop = asyncio.get_running_loop()
        call_later = loop.call_later

        def spy(delay: float, callback: Any, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
            later.append(callback)
            return call_later(delay, callback, *args, **kwargs)

        await recorder.wait(lambda: informer.has_synced)
        monkeypatch.setattr(loop, "call_later", spy)

    with cluster(tmp_path) as (_, configuration):
        asyncio.run(run(configuration, test))
    assert signal.pthread_kill not in later


class Refuses(BaseHTTPRequestHandler):
    """An API server that lists once, and knows nobody afterwards."""

    lists = 0

    def do_GET(self) -> None:
        Refuses.lists += 1
        first = Refuses.lists == 1
        body = b'{"metadata": {}, "items": []}' if first else b'{"kind": "Status", "code": 401}'
        self.send_response(200 if first else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Not here."""


def test_credentials_that_are_refused_end_kopf_and_not_the_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(_: KopfPerformers, recorder: Recorder) -> None:
        with caplog.at_level(logging.WARNING):
            await recorder.wait(
                lambda: all(
                    text in caplog.text
                    for text in ("refuses the credentials", "watching Performers again")
                )
            )

    Refuses.lists = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        configuration = Configuration(host=f"http://127.0.0.1:{server.server_port}")
        configuration.api_key = {"BearerToken": "Bearer nobody"}
        asyncio.run(run(configuration, test, first_page=0.2))
        server.shutdown()
