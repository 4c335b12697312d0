"""Requests about the Performers of one namespace; the only I/O of this package."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.rest import RESTResponse

from hourglass_operator.api import GROUP, PLURAL, VERSION
from hourglass_operator.client.errors import refusal

JSON = dict[str, Any]

CALL_SECONDS = 30.0
"""How long a call may take."""
WATCH_SECONDS = 240
"""How long the API server keeps a watch open; it is begun anew then."""

_SILENCE = aiohttp.ClientTimeout(sock_connect=CALL_SECONDS, sock_read=WATCH_SECONDS + CALL_SECONDS)
_METHODS = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "patch": "PATCH",
    "delete": "DELETE",
}
_MERGE_PATCH = "application/merge-patch+json"


class Transport:
    """Raises RequestError for whatever the API server, or the way to it, does not do."""

    def __init__(self, configuration: Configuration, namespace: str) -> None:
        self._client = ApiClient(configuration)
        self._client.user_agent = "hourglass-executor"
        self._namespace = namespace

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def call(
        self,
        verb: str,
        name: str = "",
        *,
        body: JSON | None = None,
        query: Mapping[str, str] | None = None,
    ) -> JSON:
        """The answer to get, list, create, patch (merge) or delete."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                response = await self._send(verb, name, body, query or {})
                data = await response.read()
        except TimeoutError:
            raise self._silence(verb, name, f"no answer within {CALL_SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._silence(verb, name, str(error)) from None
        return self._answer(verb, name, response.status, data)

    async def watch(self, query: Mapping[str, str]) -> AsyncGenerator[JSON]:
        """The events of a watch, until the API server ends it.

        Events of the type ERROR are raised.
        """
        query = {"watch": "true", "timeoutSeconds": str(WATCH_SECONDS), **query}
        try:
            response = await self._send("watch", "", None, query)
            try:
                if response.status != 200:
                    self._answer("watch", "", response.status, await response.read())
                async for line in _lines(response):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise refusal("watch", self._namespace, "", status["code"], status)
                    yield event
            finally:
                response.response.close()
        except TimeoutError:
            # The connection has died without a word.
            return
        except (aiohttp.ClientError, OSError) as error:
            raise self._silence("watch", "", str(error)) from None

    async def _send(
        self, verb: str, name: str, body: JSON | None, query: Mapping[str, str]
    ) -> RESTResponse:
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{self._namespace}/{PLURAL}"
        url = f"{path}/{name}" if name and verb != "create" else path
        if query:
            url += "?" + urlencode(query)
        content_type = _MERGE_PATCH if verb == "patch" else "application/json"
        request = await self._client.param_serialize(
            _METHODS[verb],
            url,
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        return await self._client.call_api(*request, _request_timeout=_SILENCE)

    def _answer(self, verb: str, name: str, code: int, data: bytes) -> JSON:
        try:
            body = json.loads(data)
        except ValueError:
            # Proxies, and the API server itself for paths it does not know, answer in plain text.
            body = {"message": data.decode(errors="replace")}
        if not 200 <= code < 300:
            raise refusal(verb, self._namespace, name, code, body)
        return dict(body)

    def _silence(self, verb: str, name: str, why: str) -> Exception:
        return refusal(verb, self._namespace, name, 0, {"reason": "NoAnswer", "message": why})


async def _lines(response: RESTResponse) -> AsyncGenerator[bytes]:
    """Lines of any length, unlike those of a StreamReader."""
    rest = b""
    async for chunk in response.response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
