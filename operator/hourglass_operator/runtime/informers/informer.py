"""Keeps a store in step with a resource: one list, then a watch from its resourceVersion.

As client-go's Reflector does it: https://pkg.go.dev/k8s.io/client-go/tools/cache#Reflector and
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from random import Random

from hourglass_kube.types import JSON
from hourglass_operator.controller.versions import Name
from hourglass_operator.runtime.informers.store import Store, name_of
from hourglass_operator.transport.calls import (
    Answer,
    EventStream,
    Request,
    Transport,
    WatchError,
    no_answer,
)

logger = logging.getLogger(__name__)

PAGE = 100
"""Objects of a list that are in memory at once."""
_WATCH_SECONDS = 300.0
"""A watch is asked for at least this long, and for twice as long at most."""
_SHORT_WATCH = 1.0
"""Seconds; whatever ends every watch sooner than this is not asked again at once."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.8, 30.0
"""Seconds between two tries until a watch lasts; they double and vary, as client-go's do."""
_LONGEST_WAIT = 60.0
"""Seconds for which an API server that asks for it is left alone at most."""

_TRIES = 3
"""Watches that fail one after the other until a list is tried: it may be answered."""

_GONE = 410
_NOT_SERVED = 404
_UNTIL_SERVED = 60.0
"""Seconds between two looks at whether an optional resource is served by now."""
_REFUSED = (401, 403, 404)
"""Whoever may not watch knows nothing for sure any more."""


class Informer:
    """Lists and watches one resource, in one namespace or in all."""

    def __init__(
        self,
        transport: Transport,
        store: Store,
        resource: str,
        selector: str,
        namespace: str = "",
        *,
        random: Random,
        optional: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`random` spreads the calls of many processes over time.

        `optional`: where the API server does not serve the resource, there is nothing to know.
        """
        self._optional = optional
        self._resource = resource
        self._transport = transport
        self._store = store
        self._selector = {"labelSelector": selector} if selector else {}
        self._namespace = namespace
        self._random = random
        self._sleep = sleep
        self._synced = False
        self._complaint = ""
        self._pauses = self._new_pauses()

    @property
    def resource(self) -> str:
        """Its plural."""
        return self._resource

    @property
    def has_synced(self) -> bool:
        """Whether everything that existed when it began is in the store.

        True from the end of the first list, as with client-go
        (https://pkg.go.dev/k8s.io/client-go/tools/cache#SharedInformer): no watch knows more at
        that moment. Unlike there, a list or a watch that is refused ends it at once.
        """
        return self._synced

    async def run(self) -> None:
        """List and watch until cancelled."""
        while True:
            listed = await self._list()
            if isinstance(listed, Answer) and self._optional and listed.code == _NOT_SERVED:
                self._store.absent(self._resource)
                self._synced = True
                await self._sleep(_UNTIL_SERVED)
                continue
            if isinstance(listed, Answer):
                self._failed("list", listed)
                await self._pause(listed)
                continue
            self._synced = True
            await self._watch(listed)

    async def _list(self) -> str | Answer:
        """The resourceVersion of a list whose objects are in the store, or why there is none."""
        query = {"limit": str(PAGE), **self._selector}
        names: set[Name] = set()
        while True:
            request = Request("list", self._resource, self._namespace, query=query)
            answer = await self._transport.call(request)
            if answer.code == _GONE and "continue" in query:
                # The rest of the list is lost. Whole, it is of one moment however long it takes.
                query, names = dict(self._selector), set()
                continue
            if not answer.succeeded:
                return answer
            if not is_list(answer.body):
                return no_answer("what was answered is no list")
            metadata, items = answer.body["metadata"], answer.body.get("items") or []
            names.update(map(name_of, items))
            # From the end, so that each object is dropped as soon as it is in the store.
            while items:
                self._store.put_listed(self._resource, items.pop(), metadata["resourceVersion"])
            if not metadata.get("continue"):
                version: str = metadata["resourceVersion"]
                self._store.replace(self._resource, self._namespace, names, version)
                return version
            query = {**query, "continue": metadata["continue"]}

    async def _watch(self, version: str) -> None:
        """Watch from a resourceVersion for as long as watches can be had and resumed."""
        loop = asyncio.get_running_loop()
        failures = 0
        while failures < _TRIES:
            began, before = loop.time(), version
            error: Answer | None = None
            try:
                async with aclosing(self._open(version)) as events:
                    async for event in events:
                        obj = event["object"]
                        version = obj["metadata"]["resourceVersion"]
                        if event["type"] != "BOOKMARK":
                            self._store.put(self._resource, event["type"], obj)
            except WatchError as broken:
                error = broken.answer
            lasted = version != before or loop.time() - began > _SHORT_WATCH
            if lasted:
                failures, self._complaint, self._pauses = 0, "", self._new_pauses()
            if error is not None and error.code == _GONE:
                logger.debug("%s: the history is lost; listing anew", self._resource)
                failures = _TRIES
            elif error is not None:
                self._failed("watch", error)
                if not lasted:
                    failures = _TRIES if error.code in _REFUSED else failures + 1
            if not lasted or (error is not None and error.code != _GONE):
                await self._pause(error)

    def _open(self, version: str) -> EventStream:
        query = {
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(int(_WATCH_SECONDS * (1 + self._random.random()))),
            **self._selector,
        }
        return self._transport.watch(self._resource, self._namespace, query)

    def _failed(self, verb: str, answer: Answer) -> None:
        if answer.code in _REFUSED:
            self._synced = False
        complaint = f"cannot {verb} {self._resource}: {answer.message}"
        # A watch that breaks off is resumed where it was, which is no news.
        if complaint != self._complaint and (verb == "list" or answer.code):
            logger.warning("%s", complaint)
        self._complaint = complaint

    async def _pause(self, answer: Answer | None) -> None:
        asked = (answer.retry_after if answer is not None else None) or 0.0
        await self._sleep(max(next(self._pauses), min(asked, _LONGEST_WAIT)))

    def _new_pauses(self) -> Iterator[float]:
        pause = _FIRST_PAUSE
        while True:
            yield pause * (1 + self._random.random())
            pause = min(2 * pause, _LONGEST_PAUSE)


def is_list(body: JSON) -> bool:
    """Whether an answer is a list of objects: proxies answer with pages of their own."""
    metadata, items = body.get("metadata"), body.get("items") or []
    return (
        isinstance(metadata, dict)
        and bool(metadata.get("resourceVersion"))
        and isinstance(items, list)
        and all(isinstance(item, dict) and _has_name(item.get("metadata")) for item in items)
    )


def _has_name(metadata: object) -> bool:
    return isinstance(metadata, dict) and isinstance(metadata.get("name"), str)
