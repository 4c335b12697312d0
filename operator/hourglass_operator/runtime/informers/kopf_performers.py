"""The informer of Performers: kopf lists, watches, reconnects and authenticates.

Only `kopf.on.event` is used: other kopf handlers write annotations or finalizers on the object.
kopf runs as tasks of the process's own event loop (`kopf.spawn_tasks`); its `operator` and
`run_tasks` would cancel every task of the loop when they end.

What kopf does not say, a session of our own (https://docs.kopf.dev/en/stable/authentication/)
sees where lists are parsed: which objects exist, and when a list is complete.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import aiohttp
import kopf
import orjson

# kopf keeps a record of every object it has ever handled, and has no public setting against it.
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory
from kubernetes.aio.client import Configuration
from yarl import URL

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, PLURAL, VERSION
from hourglass_operator.controller.versions import Name
from hourglass_operator.runtime.informers.informer import PAGE
from hourglass_operator.runtime.informers.store import Store, name_of
from hourglass_operator.transport.api import Api, without_managed_fields
from hourglass_operator.transport.calls import Request

logger = logging.getLogger(__name__)

_PAUSE = 2.0
"""Seconds from the end of kopf's tasks to the next try."""
_ENDING = 5.0
"""Seconds that kopf's tasks are given to end."""
_GONE = 410


class KopfPerformers:
    """The same to the operator as an `Informer`, for Performers."""

    def __init__(
        self,
        api: Api,
        configuration: Configuration,
        store: Store,
        namespaces: Collection[str],
        *,
        spawned: Callable[[], None],
        ended: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        first_page: float = 30.0,
    ) -> None:
        """`namespaces`: those that are served; empty: all. `first_page`: seconds in which kopf must
        have listed; it looks at what is served once, and it may be early.

        `spawned` is called when kopf has begun, and has taken the signals SIGINT and SIGTERM for
        itself; `ended` when it has given up.
        """
        self._api = api
        self._configuration = configuration
        self._store = store
        self._namespaces = namespaces
        self._spawned = spawned
        self._ended = ended
        self._sleep = sleep
        self._first_page = first_page
        self._lists: dict[str, set[Name]] = {}
        """What lists that are under way have shown, by their path."""
        self._listed: set[str] = set()
        """The paths of complete lists since kopf began."""

    @property
    def resource(self) -> str:
        """Its plural."""
        return PLURAL

    @property
    def has_synced(self) -> bool:
        """Whether every Performer that existed when it began is in the store."""
        return len(self._listed) == max(1, len(self._namespaces))

    async def run(self) -> None:
        """Keep kopf running until cancelled."""
        while True:
            # kopf is not started in vain: it would end, and say why in many lines.
            namespace = next(iter(self._namespaces), "")
            answer = await self._api.call(Request("list", PLURAL, namespace, query={"limit": "1"}))
            if answer.succeeded:
                why = await self._watch()
                logger.warning("watching Performers again: %s", why)
                self._ended()
            await self._sleep(_PAUSE)

    async def _watch(self) -> str:
        """Run kopf until it ends or lists nothing; why it has ended."""
        self._lists, self._listed = {}, set()
        tasks = await kopf.spawn_tasks(
            registry=self._registry(),
            settings=kopf_settings(),
            memories=_NoMemories(),
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
        )
        self._spawned()
        try:
            done, _ = await asyncio.wait(
                tasks, timeout=self._first_page, return_when=asyncio.FIRST_COMPLETED
            )
            if not done and not self._lists and not self._listed:
                return "the API server does not serve them yet"
            if not done:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            errors = (task.exception() for task in done if not task.cancelled())
            return next((_described(error) for error in errors if error), "kopf has ended")
        finally:
            self._listed = set()
            for task in tasks:
                task.cancel()
            # Their errors are known: the first of them is why they end.
            ended = asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.wait([ended], timeout=_ENDING)

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        sessions = 0

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.AiohttpSession:
            nonlocal sessions
            sessions += 1
            if sessions > 1:
                # Each request has the token of its moment: another session would change nothing.
                raise kopf.PermanentError("the API server refuses the credentials")
            return kopf.AiohttpSession(server=self._api.server, aiohttp_session=self._session())

        @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
        async def event(event: kopf.RawEvent, **_: Any) -> None:
            # Objects of lists have come by the session.
            if event["type"] is not None:
                self._store.put(PLURAL, event["type"], dict(event["object"]))

        return registry

    def _session(self) -> aiohttp.ClientSession:
        """A session on the same connections as all other requests."""
        informer = self

        class Response(aiohttp.ClientResponse):
            async def json(self, **_: Any) -> Any:
                body = orjson.loads(await self.read())
                if self.status == 200 and body.get("kind") == "PerformerList":
                    # As it was sent: `url` says what kopf has asked for.
                    informer._page(self.request_info.url, body)
                return body

        async def authorize(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            token = await self._configuration.get_api_key_with_prefix(
                "BearerToken", "authorization"
            )
            if token:
                request.headers["Authorization"] = token
            response = await handler(request)
            informer._api.heed_warnings(response)
            return response

        async def whole_if_expired(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            response = await handler(request)
            if response.status != _GONE or "continue" not in request.url.query:
                return response
            # kopf would list from the first page again, for ever where the rest is always lost.
            response.release()
            request.url = request.url.without_query_params("continue", "limit")
            return await handler(request)

        return aiohttp.ClientSession(
            connector=self._api.connector,
            connector_owner=False,
            headers={"Accept": "application/json", "User-Agent": self._api.user_agent},
            proxy=self._configuration.proxy,
            response_class=Response,
            middlewares=(whole_if_expired, authorize),
            trust_env=False,
        )

    def _page(self, url: URL, page: JSON) -> None:
        """Take in a part of a list, so that nothing of it is left for kopf to hand over."""
        path = url.path
        if "continue" not in url.query:
            self._lists[path] = set()
        names, version = self._lists[path], page["metadata"]["resourceVersion"]
        items = page["items"]
        page["items"] = []
        for obj in items:
            without_managed_fields(obj)
            names.add(name_of(obj))
            self._store.put_listed(PLURAL, obj, version)
        if not page["metadata"].get("continue"):
            self._store.replace(PLURAL, _namespace(path), self._lists.pop(path), version)
            self._listed.add(path)


def kopf_settings() -> kopf.OperatorSettings:
    """kopf's settings: watch, write nothing, keep nothing."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.persistence.progress_storage = _NoProgress()
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.networking.error_backoffs = (0.5, 1, 2, 4, 8)
    settings.watching.chunk_size = PAGE
    # A worker for each object, which holds the last one: long enough for the events of a start.
    settings.queueing.idle_timeout = 2.0
    # kopf would send SIGKILL to the process so long after its tasks have ended.
    settings.process.ultimate_exiting_timeout = None
    return settings


def _namespace(path: str) -> str:
    """The namespace in the path of a list; empty if it is of all."""
    parts = path.split("/")
    return parts[parts.index("namespaces") + 1] if "namespaces" in parts else ""


class _NoMemories(ResourceMemories):
    async def recall(self, raw_body: Any, **kwargs: Any) -> ResourceMemory:
        return await super().recall(raw_body, **kwargs | {"ephemeral": True})


class _NoProgress(kopf.ProgressStorage):
    """Nothing is to be written on objects, nor looked for."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass

    def purge(self, **_: Any) -> None:
        pass

    def touch(self, **_: Any) -> None:
        pass

    def clear(self, *, essence: Any) -> Any:
        return essence


class _NoDiffBase(kopf.DiffBaseStorage):
    """Spares kopf a deep copy of each object of each event."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass


def _described(error: BaseException) -> str:
    """An exception of kopf's or aiohttp's on one line."""
    if isinstance(error, BaseExceptionGroup):
        return _described(error.exceptions[0])
    return " ".join(str(error.args[0] if error.args else error).split()) or type(error).__name__
