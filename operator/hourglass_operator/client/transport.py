"""Requests about the Performers of one namespace; the only I/O of this package."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from kubernetes.aio.client import Configuration

from hourglass_kube.types import JSON
from hourglass_operator.api import PLURAL
from hourglass_operator.client.errors import RequestError, UnavailableError, refusal
from hourglass_operator.transport.api import Api
from hourglass_operator.transport.calls import Answer, Request, WatchError

CALL_SECONDS = 30.0
"""How long a call may take."""
WATCH_SECONDS = 240
"""How long the API server keeps a watch open; it is begun anew then."""


class Transport:
    """Makes the requests. RequestError: the API server refused one, or could not be reached."""

    def __init__(self, configuration: Configuration, namespace: str) -> None:
        self._api = Api(configuration, CALL_SECONDS, user_agent="hourglass-executor")
        self._namespace = namespace

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def call(self, verb: str, name: str, body: JSON | None = None) -> JSON:
        """The answer to get, create, patch (merge) or delete."""
        called = "" if verb == "create" else name
        request = Request(verb, PLURAL, self._namespace, called, body=body)
        return self._body(verb, name, await self._api.call(request))

    async def list(self, query: Mapping[str, str]) -> JSON:
        """The list that the selectors in `query` choose."""
        request = Request("list", PLURAL, self._namespace, query=query)
        return self._body("list", "", await self._api.call(request))

    async def watch(self, query: Mapping[str, str]) -> AsyncGenerator[JSON]:
        """The events of a watch, until the API server ends it.

        Events of the type ERROR are raised.
        """
        query = {"timeoutSeconds": str(WATCH_SECONDS), **query}
        try:
            async with aclosing(self._api.watch(PLURAL, self._namespace, query)) as events:
                async for event in events:
                    yield event
        except WatchError as error:
            raise self._refusal("watch", "", error.answer) from None

    def _body(self, verb: str, name: str, answer: Answer) -> JSON:
        if not answer.succeeded:
            raise self._refusal(verb, name, answer)
        return answer.body

    def _refusal(self, verb: str, name: str, answer: Answer) -> RequestError:
        error = refusal(verb, self._namespace, name, answer.code, answer.body)
        if isinstance(error, UnavailableError):
            error.retry_after = answer.retry_after or 0.0
        return error
