"""Requests about the Performers of one namespace; the only I/O of this package."""

import json
from collections.abc import AsyncGenerator, Mapping

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTResponse

from hourglass_kube.types import JSON
from hourglass_operator.api import PLURAL
from hourglass_operator.client.errors import RequestError, UnavailableError, refusal
from hourglass_operator.runtime.api import Answer, Api, no_answer, path, read

CALL_SECONDS = 30.0
"""How long a call may take."""
WATCH_SECONDS = 240
"""How long the API server keeps a watch open; it is begun anew then."""

_SILENCE = aiohttp.ClientTimeout(sock_connect=CALL_SECONDS, sock_read=WATCH_SECONDS + CALL_SECONDS)


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
        answer = await self._api.call(verb, PLURAL, self._namespace, called, body=body)
        return self._body(verb, name, answer)

    async def list(self, query: Mapping[str, str]) -> JSON:
        """The list that the selectors in `query` choose."""
        answer = await self._api.call("list", PLURAL, self._namespace, query=query)
        return self._body("list", "", answer)

    async def watch(self, query: Mapping[str, str]) -> AsyncGenerator[JSON]:
        """The events of a watch, until the API server ends it.

        Events of the type ERROR are raised.
        """
        url = path(PLURAL, self._namespace)
        query = {"watch": "true", "timeoutSeconds": str(WATCH_SECONDS), **query}
        try:
            response = await self._api.send("watch", url, query, silence=_SILENCE)
            try:
                if response.status != 200:
                    raise self._refusal("watch", "", await read(response))
                async for line in _lines(response):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise self._refusal("watch", "", Answer(status["code"], status))
                    yield event
            finally:
                response.response.close()
        except TimeoutError:
            # The connection was lost and nobody closed it.
            return
        except (aiohttp.ClientError, OSError) as error:
            raise self._refusal("watch", "", no_answer(str(error))) from None

    def _body(self, verb: str, name: str, answer: Answer) -> JSON:
        if not answer.succeeded:
            raise self._refusal(verb, name, answer)
        return answer.body

    def _refusal(self, verb: str, name: str, answer: Answer) -> RequestError:
        error = refusal(verb, self._namespace, name, answer.code, answer.body)
        if isinstance(error, UnavailableError):
            error.retry_after = answer.retry_after or 0.0
        return error


async def _lines(response: RESTResponse) -> AsyncGenerator[bytes]:
    """Lines of any length, unlike those of a StreamReader."""
    rest = b""
    async for chunk in response.response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
