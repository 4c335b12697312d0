"""The HTTP server in front of a simulated API server."""

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.apiserver.calls import Audit
from hourglass_simulator.apiserver.errors import CallTimeoutError
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.watch import WatchEvent
from hourglass_simulator.http.request import Answer, Request
from hourglass_simulator.http.router import Router

logger = logging.getLogger(__name__)

WATCH_SECONDS = 300.0
"""How long a watch lasts that does not say how long."""
BOOKMARK_SECONDS = 30.0
CONTROL = "/_simulator"
_TIMED_OUT = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Timeout"}

Queue = asyncio.Queue[WatchEvent | None]
"""Events of a watch; None ends it."""


class Server:
    """Serves in the event loop that `app` is run in; every use of the cluster is under `lock`."""

    def __init__(self, api: APIServer, lock: threading.RLock) -> None:
        self.router = Router(api)
        self._api = api
        self._lock = lock
        self._watches: dict[Queue, str] = {}
        self._audit: list[Audit] = []
        api.auditors.append(self._audit.append)

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_shutdown.append(self._end_watches)
        app.cleanup_ctx.append(self._bookmarks)
        app.cleanup_ctx.append(self._definitions)
        return app

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        if http.path.startswith(CONTROL):
            return await self._control(http)
        request = await _request(http)
        resource = self.router.watched(request)
        if resource is not None:
            return await self._watch(http, request, resource)
        answer = self._answer(request)
        logger.debug("%s %s %s: %s", request.user, http.method, http.path_qs, answer.code)
        if isinstance(answer.body, str):
            return web.Response(text=answer.body, status=answer.code)
        return _sent(answer)

    def _answer(self, request: Request) -> Answer:
        try:
            with self._lock:
                return self.router.answer(request)
        except CallTimeoutError as error:
            return Answer(504, {**_TIMED_OUT, "message": str(error), "code": 504})

    async def _watch(
        self, http: web.Request, request: Request, resource: Resource
    ) -> web.StreamResponse:
        events: Queue = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def sink(event: WatchEvent) -> None:
            # Events come from whichever thread makes the change.
            loop.call_soon_threadsafe(events.put_nowait, event)

        query = request.query
        try:
            with self._lock:
                watch = self._api.watch(
                    resource.plural,
                    sink=sink,
                    namespace=self.router.namespace(request),
                    label_selector=query.get("labelSelector", ""),
                    field_selector=query.get("fieldSelector", ""),
                    resource_version=query.get("resourceVersion"),
                    allow_bookmarks=query.get("allowWatchBookmarks") in ("1", "true"),
                    user=request.user,
                )
        except APIError as error:
            return _sent(Answer(error.code, error.status()))
        logger.debug("%s WATCH %s", request.user, http.path_qs)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        self._watches[events] = resource.plural
        try:
            await response.prepare(http)
            async with asyncio.timeout(float(query.get("timeoutSeconds") or WATCH_SECONDS)):
                while (event := await events.get()) is not None:
                    with self._lock:
                        shown = self.router.event(resource, event, request.accept)
                    await response.write(json.dumps(shown).encode() + b"\n")
        except (TimeoutError, ConnectionError):
            pass
        except APIError:
            # A resource that is defined no more has no columns to show its objects in.
            pass
        finally:
            self._watches.pop(events, None)
            with self._lock:
                watch.stop()
        return response

    async def _bookmarks(self, _: web.Application) -> Any:
        async def send() -> None:
            while True:
                await asyncio.sleep(BOOKMARK_SECONDS)
                with self._lock:
                    self._api.send_bookmarks()

        task = asyncio.create_task(send())
        yield
        task.cancel()

    async def _definitions(self, _: web.Application) -> Any:
        """A resource that is defined no more has no watches either."""
        loop = asyncio.get_running_loop()

        def sink(event: WatchEvent) -> None:
            if event.type == "DELETED":
                names = event.object["spec"]["names"]
                loop.call_soon_threadsafe(self.drop_watches, names["plural"])

        with self._lock:
            watch = self._api.watch("customresourcedefinitions", sink=sink)
        yield
        with self._lock:
            watch.stop()

    async def _end_watches(self, _: web.Application) -> None:
        """Before the server waits for its connections to end, which watches never do."""
        self.drop_watches()

    def drop_watches(self, plural: str | None = None) -> None:
        """End every watch (None), or those of a resource, as a lost connection does."""
        for events, watched in tuple(self._watches.items()):
            if plural in (None, watched):
                events.put_nowait(None)

    async def _control(self, http: web.Request) -> web.Response:
        what = http.path.removeprefix(CONTROL).strip("/")
        if http.method == "GET" and what == "audit":
            return web.json_response([_told(audit) for audit in self._audit])
        if http.method == "POST" and what == "watches/drop":
            if http.query.get("forget"):
                with self._lock:
                    for resource in self._api.resources():
                        self._api.compact(resource.plural)
            self.drop_watches()
            return web.Response()
        if http.method == "POST" and what in ("deny", "allow"):
            return self._permit(http.query, deny=what == "deny")
        return web.Response(status=404, text=f"{CONTROL}/{what}: see docs/serve.md\n")

    def _permit(self, query: Mapping[str, str], *, deny: bool) -> web.Response:
        missing = [key for key in ("user", "verb", "resource") if key not in query]
        if missing:
            return web.Response(status=400, text=f"expected in the query: {', '.join(missing)}\n")
        rule = (query["user"], query["verb"], query["resource"])
        denied = self.router.denials.denied
        with self._lock:
            denied.add(rule) if deny else denied.discard(rule)
        return web.Response()


async def _request(http: web.Request) -> Request:
    text = await http.text()
    scheme, _, token = http.headers.get("Authorization", "").partition(" ")
    return Request(
        method=http.method,
        path=http.path,
        query=dict(http.query),
        body=_parsed(text),
        content_type=http.headers.get("Content-Type", "").partition(";")[0],
        accept=http.headers.get("Accept", ""),
        user=token if scheme.lower() == "bearer" and token else "admin",
    )


def _sent(answer: Answer) -> web.Response:
    """When to come back is in a Status and in a header, as a real API server has it."""
    details = answer.body.get("details") or {} if answer.code == 429 else {}
    after = details.get("retryAfterSeconds")
    headers = {"Retry-After": str(after)} if after else None
    return web.json_response(answer.body, status=answer.code, headers=headers)


def _parsed(text: str) -> Any:
    """JSON, or the text itself if it is none (an apply patch is YAML)."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _told(audit: Audit) -> JSON:
    return {"time": audit.time, **audit.call._asdict(), "code": audit.code}
