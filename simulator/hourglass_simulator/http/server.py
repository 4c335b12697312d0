"""The HTTP server in front of a simulated API server."""

import asyncio
import logging
import secrets
import threading
from dataclasses import replace
from typing import Any

from aiohttp import web

from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.apiserver.errors import CallTimeoutError
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.server import ADMIN
from hourglass_simulator.apiserver.watch import WatchEvent
from hourglass_simulator.http import bodies, guard, negotiation
from hourglass_simulator.http.authentication import ImpersonationError
from hourglass_simulator.http.bodies import sent
from hourglass_simulator.http.certificates import user_of
from hourglass_simulator.http.control import Called, Control, ControlError
from hourglass_simulator.http.received import received
from hourglass_simulator.http.request import Answer, Request
from hourglass_simulator.http.router import Router, refusal

logger = logging.getLogger(__name__)

WATCH_SECONDS = 300.0
"""How long a watch lasts that does not say how long."""
BOOKMARK_SECONDS = 30.0
MAX_BODY = 3 * 1024 * 1024
"""Bytes of a request: https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/server/config.go."""
CONTROL = "/_simulator"
_TIMED_OUT = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Timeout"}

Queue = asyncio.Queue[WatchEvent | None]
"""Events of a watch; None ends it."""


class Server:
    """Serves in the event loop that `app` is run in; every use of the cluster is under `lock`."""

    def __init__(self, api: APIServer, lock: threading.RLock, *, names: bool = True) -> None:
        self.router = Router(api, names=names)
        self._api = api
        self._lock = lock
        self._watches: dict[Queue, str] = {}
        self.control = Control(api, lock, self.router.denials, self.drop_watches)
        self.control_token = secrets.token_urlsafe(32)
        """For the calls below /_simulator, as are the tokens of kubeconfigs."""
        self._loop: asyncio.AbstractEventLoop | None = None

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_shutdown.append(self._end_watches)
        app.cleanup_ctx.append(self._bookmarks)
        app.cleanup_ctx.append(self._definitions)
        return app

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        try:
            credentials = "Authorization" in http.headers or user_of(_certificate(http)) is not None
            guard.check(http.method, http.headers, credentials=credentials)
            if http.path.startswith(CONTROL):
                return await self._control(http)
            request = await _request(http)
        except APIError as error:
            media = negotiation.of_errors(http.headers.get("Accept", ""))
            answer = Answer(error.code, error.status(), media=media)
            return sent(answer, http.headers, self._api.version)
        resource = self.router.watched(request)
        if resource is not None:
            return await self._watch(http, request, resource)
        answer = await self._answered(request)
        logger.debug("%s %s %s: %s", request.user, http.method, http.path_qs, answer.code)
        return sent(answer, http.headers, self._api.version)

    async def _answered(self, request: Request) -> Answer:
        """In a thread when webhooks may be called, which may ask this very server."""
        if request.method != "GET" and self._api.calls_webhooks:
            return await asyncio.to_thread(self._answer, request)
        return self._answer(request)

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

        try:
            with self._lock:
                request = self.router.admitted(request)
                found, watch = self.router.watch(request, resource, sink)
                flow = self.router.flow(request)
        except (APIError, ImpersonationError) as error:
            return sent(refusal(request, error), http.headers, self._api.version)
        logger.debug("%s WATCH %s", request.user, http.path_qs)
        headers = {**bodies.usual_headers(), **flow, "Content-Type": found.content_type}
        response = web.StreamResponse(headers=headers)
        response.enable_chunked_encoding()
        self._watches[events] = resource.qualified
        try:
            await response.prepare(http)
            async with asyncio.timeout(found.seconds or WATCH_SECONDS):
                while (event := await events.get()) is not None:
                    with self._lock:
                        shown = self.router.event_object(resource, event, found.media)
                    await response.write(
                        bodies.event(event.type, shown, found.media, self._api.version)
                    )
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
        self._loop = loop = asyncio.get_running_loop()

        def sink(event: WatchEvent) -> None:
            if event.type == "DELETED":
                name = event.object["metadata"]["name"]
                loop.call_soon_threadsafe(self.drop_watches, name)

        with self._lock:
            watch = self._api.watch("customresourcedefinitions", sink=sink)
        yield
        with self._lock:
            watch.stop()

    async def _end_watches(self, _: web.Application) -> None:
        """Before the server waits for its connections to end, which watches never do."""
        self.drop_watches()

    def drop_watches(self, resource: str | None = None) -> None:
        """End every watch (None), or those of a resource with its group, as lost connections do.

        From any thread.
        """
        for events, watched in tuple(self._watches.items()):
            if resource in (None, watched) and self._loop is not None:
                self._loop.call_soon_threadsafe(events.put_nowait, None)

    async def _control(self, http: web.Request) -> web.Response:
        user = self._control_user(http)
        if user is None:
            text = f"{CONTROL} is only for who has the token in the kubeconfig\n"
            return web.Response(status=403, text=text)
        what = http.path.removeprefix(CONTROL).strip("/")
        called = Called(http.method, what, dict(http.query), await http.read(), user)
        try:
            # In a thread, as what happens while time is advanced may call webhooks.
            found = await asyncio.to_thread(self.control.answer, called)
        except ControlError as error:
            return web.Response(status=error.code, text=f"{error}\n")
        return web.Response() if found is None else web.json_response(found)

    def _control_user(self, http: web.Request) -> str | None:
        """Whose credentials open the calls below /_simulator; None: nobody's."""
        certified = user_of(_certificate(http))
        if certified is not None:
            return certified.name
        token = http.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == self.control_token:
            return ADMIN
        known = self.router.authenticator.tokens.get(token)
        return None if known is None else known.name


async def _request(http: web.Request) -> Request:
    try:
        data = await http.read()
    except web.HTTPRequestEntityTooLarge:
        text = f"Request entity too large: limit is {MAX_BODY}"
        raise APIError(413, "RequestEntityTooLarge", text) from None
    request = received(http.method, http.path, dict(http.query), http.headers, data)
    return replace(
        request,
        headers=_identifying(http),
        certificate=user_of(_certificate(http)),
        excluded=http.query.getall("exclude", ()),
    )


def _certificate(http: web.Request) -> Any:
    return http.get_extra_info("peercert")


def _identifying(http: web.Request) -> dict[str, list[str]]:
    """The headers that say who makes a request."""
    return {
        name.lower(): http.headers.getall(name)
        for name in http.headers
        if name.lower() == "authorization" or name.lower().startswith("impersonate-")
    }
