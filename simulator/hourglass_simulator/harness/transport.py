"""The operator's way to the simulated API server, with the latency and the faults of a network."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from hourglass_kube.types import JSON
from hourglass_operator.transport.calls import Answer, EventStream, Request, WatchError, no_answer
from hourglass_operator.transport.paths import CORE_RESOURCES, path
from hourglass_operator.transport.throttling import answered
from hourglass_simulator.apiserver import APIServer, Watch, WatchEvent
from hourglass_simulator.apiserver.errors import APIError, CallTimeoutError
from hourglass_simulator.apiserver.watch import Sink

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
CALL_LATENCY = 0.005
"""Seconds that a call to the API server takes."""
REQUEST_TIMEOUT = 10.0
"""Seconds after which a call is given up that does not say when."""
WATCH_LATENCY = 0.002
"""Seconds from a commit to the watch, unless a fault says otherwise."""
BOOKMARK_SECONDS = 60.0
"""Between two bookmarks of a watch.
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go
"""

Hook = Callable[[str, WatchEvent], Iterable[tuple[float, WatchEvent]]]
"""(resource, event) → deliveries of it, each with a delay in seconds on top of the latency."""


class SimulatedTransport:
    """The Transport of one operator process.

    `on_write` is called with `before` or `after` and the request around each mutating one, but not
    around those about Leases. Whatever it calls may kill the process: its answer is lost then.
    """

    server = "https://simulated"

    def __init__(
        self,
        api: APIServer,
        user: str,
        hook: Hook,
        on_write: Iterable[Callable[[str, Request], None]],
        is_alive: Callable[[], bool],
    ) -> None:
        self._api = api
        self._user = user
        self._hook = hook
        self._on_write = on_write
        self._is_alive = is_alive
        self._streams: list[_Stream] = []

    async def call(
        self, request: Request, *, timeout: float | None = None, once: bool = False
    ) -> Answer:
        """See Transport: the request arrives at once, the answer a little later."""
        return await answered(
            partial(self._attempt, request),
            REQUEST_TIMEOUT if timeout is None else timeout,
            once=once,
            sleep=asyncio.sleep,
            monotonic=asyncio.get_running_loop().time,
        )

    async def _attempt(self, request: Request, timeout: float) -> Answer:
        await self._notify("before", request)
        date = int(self._api.clock.unix_time)
        answer = self._answer(request)
        await self._notify("after", request)
        if answer is None or timeout < CALL_LATENCY:
            await asyncio.sleep(max(0.0, timeout))
            return no_answer(f"no answer within {timeout:.1f} s")
        await asyncio.sleep(CALL_LATENCY)
        return replace(answer, date=date)

    def watch(self, resource: str, namespace: str, query: Mapping[str, str]) -> EventStream:
        """See Transport; `timeoutSeconds` of the query must be given."""
        stream = _Stream(resource, self._hook)
        stream.open(partial(self._watch, resource, namespace, query))
        stream.end_after(float(query["timeoutSeconds"]))
        if query.get("allowWatchBookmarks") == "true":
            stream.send_bookmarks(lambda: self._api.resource_version)
        self._streams = [each for each in self._streams if each.connected] + [stream]
        return stream

    def _watch(self, resource: str, namespace: str, query: Mapping[str, str], sink: Sink) -> Watch:
        return self._api.watch(
            resource,
            namespace=namespace,
            label_selector=query.get("labelSelector", ""),
            resource_version=query["resourceVersion"],
            sink=sink,
            user=self._user,
        )

    def drop(self, resource: str) -> None:
        """Lose the connections of the watches of a resource."""
        for stream in self._streams:
            if stream.resource == resource:
                stream.disconnect()

    def close(self) -> None:
        """Lose all connections, without anybody at this end."""
        for stream in self._streams:
            stream.close()

    async def _notify(self, moment: str, request: Request) -> None:
        if request.verb in ("get", "list") or request.resource == "leases":
            return
        for observer in list(self._on_write):
            observer(moment, request)
        if not self._is_alive():
            # The process was killed in the middle of the call: nobody comes back here.
            await asyncio.get_running_loop().create_future()

    def _answer(self, request: Request) -> Answer | None:
        """None if it is lost."""
        try:
            return Answer(201 if request.verb == "create" else 200, self._perform(request))
        except CallTimeoutError:
            return None
        except APIError as error:
            after = (error.details or {}).get("retryAfterSeconds")
            return Answer(error.code, error.status(), float(after) if after else None)

    def _perform(self, request: Request) -> JSON:
        api, user, body = self._api, self._user, request.body or {}
        resource, namespace, name = request.resource, request.namespace, request.name
        match request.verb:
            case "list":
                found = api.list(
                    resource,
                    namespace,
                    label_selector=request.query.get("labelSelector", ""),
                    limit=int(request.query.get("limit", "0")),
                    token=request.query.get("continue", ""),
                    user=user,
                )
                items = list(found.items)
                if request.metadata_only:
                    items = [{"metadata": item["metadata"]} for item in items]
                return {"metadata": found.metadata, "items": items}
            case "get" if resource == CORE_RESOURCES:
                listed: JSON = api.version.discovery["lists"][path(resource)]
                return listed
            case "get":
                return api.get(resource, namespace, name, user=user)
            case "create":
                return api.create(resource, body, namespace=namespace, user=user)
            case "update":
                return api.update(resource, body, subresource=request.subresource, user=user)
            case "delete":
                preconditions = body.get("preconditions") or {}
                return api.delete(
                    resource,
                    namespace,
                    name,
                    grace_period_seconds=body.get("gracePeriodSeconds"),
                    uid=preconditions.get("uid"),
                    resource_version=preconditions.get("resourceVersion"),
                    propagation_policy=body.get("propagationPolicy"),
                    user=user,
                )
        return api.patch(
            resource,
            namespace,
            name,
            body,
            STRATEGIC_PATCH if request.strategic else MERGE_PATCH,
            subresource=request.subresource,
            user=user,
        )


class _Stream:
    """One watch's connection; its events never overtake each other."""

    def __init__(self, resource: str, hook: Hook) -> None:
        self.resource = resource
        self._hook = hook
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[JSON | WatchError | None] = asyncio.Queue()
        """Events, and what ends the stream: an error, or None for the server's own time-out."""
        self._last = 0.0
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.connected = True
        self._watch: Watch | None = None

    def open(self, begin: Callable[[Sink], Watch]) -> None:
        """Begin the watch; a refusal is what the stream begins with."""
        try:
            self._watch = begin(self._receive)
        except APIError as error:
            self._end(Answer(error.code, error.status()))
        except CallTimeoutError as error:
            # The watch is there all the same, with nobody at this end.
            self._end(no_answer(str(error)))

    def end_after(self, seconds: float) -> None:
        """The API server ends it then; what is under way arrives before."""
        if self.connected:
            self._timers["end"] = self._loop.call_later(seconds, self._time_out)

    def send_bookmarks(self, version: Callable[[], str]) -> None:
        """The API server says once a minute how far the watch is."""
        if self.connected:
            self._timers["bookmark"] = self._loop.call_later(
                BOOKMARK_SECONDS, self._bookmark, version
            )

    def disconnect(self) -> None:
        """Nothing that is under way arrives any more."""
        if self.connected:
            self._end(no_answer("the connection was lost"))

    def close(self) -> None:
        """Nothing arrives any more, and nobody waits for it."""
        self.connected = False
        for timer in self._timers.values():
            timer.cancel()
        if self._watch is not None:
            self._watch.stop()

    async def aclose(self) -> None:
        """See EventStream."""
        self.close()

    def __aiter__(self) -> "_Stream":
        return self

    async def __anext__(self) -> JSON:
        event = await self._arrived.get()
        if event is None:
            raise StopAsyncIteration
        if isinstance(event, WatchError):
            raise event
        return event

    def _receive(self, event: WatchEvent) -> None:
        for delay, delivered in self._hook(self.resource, event) if self.connected else ():
            self._last = max(self._loop.time() + WATCH_LATENCY + delay, self._last)
            self._loop.call_at(self._last, self._arrive, delivered)

    def _arrive(self, event: WatchEvent) -> None:
        if not self.connected:
            return
        if event.type == "ERROR":
            self._end(Answer(event.object["code"], event.object))
        else:
            self._arrived.put_nowait({"type": event.type, "object": event.object})

    def _bookmark(self, version: Callable[[], str]) -> None:
        obj = {"metadata": {"resourceVersion": version()}}
        self._receive(WatchEvent("BOOKMARK", obj))
        self.send_bookmarks(version)

    def _time_out(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        self._loop.call_at(max(self._last, self._loop.time()), self._arrived.put_nowait, None)

    def _end(self, answer: Answer) -> None:
        self.close()
        self._arrived.put_nowait(WatchError(answer))
