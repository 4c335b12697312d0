"""A list that is kept up to date by watching, through lost connections and lost history.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Protocol

from hourglass_kube.backoff import backoff
from hourglass_kube.types import JSON
from hourglass_operator.client.errors import RequestError, UnavailableError
from hourglass_operator.client.performer import Change, ChangeType, Performer

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds between two tries while the API server does not answer; they double.

It may ask for longer ones.
"""

_GONE = 410
"""The API server no longer knows what happened since; https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses"""


class Source(Protocol):
    """Lists and watches; see `transport.Transport`."""

    async def list(self, query: Mapping[str, str]) -> JSON:
        """The list that the selectors in `query` choose."""
        ...

    def watch(self, query: Mapping[str, str]) -> AsyncGenerator[JSON]:
        """The events of one watch."""
        ...


class Watch:
    """Changes without end, beginning with the differences between `known` and what exists."""

    def __init__(
        self,
        source: Source,
        selectors: Mapping[str, str],
        known: Iterable[Performer] = (),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.trouble: UnavailableError | None = None
        """Why the API server cannot be reached at the moment; None if it can."""
        self._source = source
        self._selectors = dict(selectors)
        self._sleep = sleep
        self._known = {performer.name: performer for performer in known}
        self._version = ""

    async def changes(self) -> AsyncGenerator[Change]:
        """Raises RequestError for what does not pass by itself, such as a missing permission."""
        failures = 0
        while True:
            try:
                if not self._version:
                    changes = await self._list()
                    self.trouble, failures = None, 0
                    for change in changes:
                        yield change
                heard = False
                query = {"resourceVersion": self._version, "allowWatchBookmarks": "true"}
                async with aclosing(self._source.watch(query | self._selectors)) as events:
                    async for event in events:
                        heard = True
                        self.trouble, failures = None, 0
                        self._version = event["object"]["metadata"]["resourceVersion"]
                        if event["type"] != "BOOKMARK":
                            yield self._store(ChangeType(event["type"]), event["object"])
                if not heard:
                    # Somebody in between may end every watch at once.
                    await self._sleep(FIRST_PAUSE)
            except UnavailableError as error:
                self.trouble = error
                pause = backoff(FIRST_PAUSE, LONGEST_PAUSE, failures)
                failures += 1
                await self._sleep(max(pause, error.retry_after))
            except RequestError as error:
                if error.code != _GONE:
                    raise
                self._version = ""
                await self._sleep(FIRST_PAUSE)

    async def _list(self) -> list[Change]:
        """List what exists; returns its differences from what was known."""
        answer = await self._source.list(self._selectors)
        self._version = answer["metadata"]["resourceVersion"]
        found = [Performer.from_json(item) for item in answer["items"]]
        uids = {performer.metadata.uid for performer in found}
        changes = [
            Change(ChangeType.DELETED, self._known.pop(name))
            for name, before in list(self._known.items())
            if before.metadata.uid not in uids
        ]
        for performer in found:
            before = self._known.get(performer.name)
            if before is None:
                changes.append(Change(ChangeType.ADDED, performer))
            elif before.metadata.resource_version != performer.metadata.resource_version:
                changes.append(Change(ChangeType.MODIFIED, performer))
            self._known[performer.name] = performer
        return changes

    def _store(self, type_: ChangeType, body: JSON) -> Change:
        performer = Performer.from_json(body)
        if type_ is ChangeType.DELETED:
            self._known.pop(performer.name, None)
        else:
            self._known[performer.name] = performer
        return Change(type_, performer)
