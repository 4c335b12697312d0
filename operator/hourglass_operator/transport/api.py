"""Requests over HTTP, by the asynchronous client of the `kubernetes` package.

Objects stay JSON: the typed half of that client would cost many times the time of the request.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
import orjson
from kubernetes.aio.client import ApiClient, Configuration

from hourglass_kube.types import JSON
from hourglass_operator.transport.calls import Answer, Request, WatchError, no_answer
from hourglass_operator.transport.paths import path
from hourglass_operator.transport.server_warnings import ServerWarnings
from hourglass_operator.transport.throttling import answered

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
JSON_BODY = "application/json"
METADATA_LIST = f"{JSON_BODY};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches"""

_WATCH_SILENCE = 60.0
"""Seconds after the end that a watch was asked for in which it must have ended."""

_METHODS = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}


def content_type(method: str, *, strategic: bool = False) -> str:
    """Of the body of a request; a PATCH is a merge patch, or a strategic one."""
    if method != "PATCH":
        return JSON_BODY
    return STRATEGIC_PATCH if strategic else MERGE_PATCH


class CallObserver(Protocol):
    """Is notified of every request that has ended."""

    def called(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """A request has ended; `code` is 0 if no answer came."""
        ...


class Api:
    """The Transport of real clusters."""

    def __init__(
        self,
        configuration: Configuration,
        timeout: float,
        observer: CallObserver | None = None,
        user_agent: str = "hourglass-performer-operator",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timeout`: seconds that a request may take."""
        self.server: str = configuration.host
        self._client = ApiClient(configuration)
        self.user_agent = user_agent
        self._timeout = timeout
        self._observer = observer
        self._sleep = sleep
        self._monotonic = monotonic
        self._warnings = ServerWarnings()

    @property
    def connector(self) -> aiohttp.BaseConnector | None:
        """The pool of connections; None before the first request."""
        session = self._client.rest_client.pool_manager
        return session.connector if session is not None else None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def call(
        self, request: Request, *, timeout: float | None = None, once: bool = False
    ) -> Answer:
        """Make a request; see Transport."""

        async def attempt(seconds: float) -> Answer:
            started = self._monotonic()
            answer = await self._answer(request, seconds)
            self._called(request.verb, request.resource, answer.code, self._monotonic() - started)
            return answer

        return await answered(
            attempt,
            self._timeout if timeout is None else timeout,
            once=once,
            sleep=self._sleep,
            monotonic=self._monotonic,
        )

    async def watch(
        self, resource: str, namespace: str, query: Mapping[str, str]
    ) -> AsyncGenerator[JSON]:
        """The events of one watch; see Transport.

        A connection that has died without a FIN ends it like the API server's own time-out:
        `timeoutSeconds` of the query, which must be given, and a minute more.
        """
        silence = float(query["timeoutSeconds"]) + _WATCH_SILENCE
        timeout = aiohttp.ClientTimeout(sock_connect=self._timeout, sock_read=silence)
        url = f"{path(resource, namespace)}?{urlencode({'watch': 'true', **query})}"
        started = self._monotonic()
        try:
            response = await self._send("GET", url, JSON_BODY, timeout=timeout)
        except Exception as error:
            self._called("watch", resource, 0, self._monotonic() - started)
            raise WatchError(no_answer(_described(error))) from None
        try:
            self._called("watch", resource, response.status, self._monotonic() - started)
            if response.status != 200:
                raise WatchError(await _read(response))
            async for line in _lines(response):
                event = orjson.loads(line)
                if not _is_event(event):
                    raise WatchError(no_answer("what was answered is no watch event"))
                if event["type"] == "ERROR":
                    raise WatchError(Answer(event["object"].get("code", 500), event["object"]))
                yield event
        except TimeoutError:
            return
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise WatchError(no_answer(_described(error))) from None
        finally:
            response.close()

    def _called(self, verb: str, resource: str, code: int, seconds: float) -> None:
        if self._observer is not None:
            self._observer.called(verb, resource, code, seconds)

    async def _answer(self, request: Request, timeout: float) -> Answer:
        url = path(request.resource, request.namespace, request.name, request.subresource)
        if request.query:
            url = f"{url}?{urlencode(request.query)}"
        started = self._monotonic()
        try:
            async with asyncio.timeout(timeout):
                method = _METHODS[request.verb]
                accept = METADATA_LIST if request.metadata_only else JSON_BODY
                content = content_type(method, strategic=request.strategic)
                return await _read(await self._send(method, url, accept, request.body, content))
        except TimeoutError:
            return no_answer(f"no answer within {self._monotonic() - started:.1f} s")
        except Exception as error:
            # Credentials are read by code of others, which raises what it likes.
            return no_answer(_described(error))

    def heed_warnings(self, response: aiohttp.ClientResponse) -> None:
        """Log what the API server warns of in an answer, unless it has done so before."""
        if headers := response.headers.getall("Warning", ()):
            self._warnings.log(f"{response.method} {response.url.path}", headers)

    async def _send(
        self,
        method: str,
        url: str,
        accept: str,
        body: JSON | None = None,
        content: str = JSON_BODY,
        *,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> aiohttp.ClientResponse:
        """The head of an answer, which is yet to be read."""
        headers = {
            "Accept": accept,
            "Content-Type": content,
            "User-Agent": self.user_agent,
        }
        # A kubeconfig's command may never end, and a watch has no time-out but that of its stream.
        async with asyncio.timeout(self._timeout):
            token = await self._client.configuration.get_api_key_with_prefix(
                "BearerToken", "authorization"
            )
        if token:
            headers["Authorization"] = token
        response = await self._client.rest_client.request(
            method, self.server + url, headers, body, _request_timeout=timeout
        )
        sent: aiohttp.ClientResponse = response.response
        self.heed_warnings(sent)
        return sent


async def _read(response: aiohttp.ClientResponse) -> Answer:
    """The whole of an answer."""
    data = await response.read()
    after = response.headers.get("Retry-After")
    return Answer(
        response.status,
        _body(data),
        float(after) if after is not None and after.isdecimal() else None,
        _date(response.headers.get("Date", "")),
    )


@lru_cache(maxsize=16)
def _date(text: str) -> int | None:
    """The header Date (https://www.rfc-editor.org/rfc/rfc9110#field.date)."""
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except ValueError:
        return None


def without_managed_fields(obj: JSON) -> None:
    """Drop what is half of an object and nothing here reads.

    In an update the API server takes an object without them as one that leaves them as they are.
    """
    metadata = obj.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)


async def _lines(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    """Lines of any length, unlike those of a StreamReader."""
    rest = b""
    async for chunk in response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


def _body(data: bytes) -> JSON:
    with suppress(ValueError):
        body: Any = orjson.loads(data)
        if not isinstance(body, dict):
            return {}
        for obj in (body, *(body.get("items") or ())):
            without_managed_fields(obj)
        return body
    # Proxies, and the API server itself for paths it does not know, answer in plain text.
    return {"message": data.decode(errors="replace").strip()}


def _is_event(value: Any) -> bool:
    """Whether a line of a watch is one: proxies answer with pages of their own."""
    if not (isinstance(value, dict) and "type" in value and isinstance(value.get("object"), dict)):
        return False
    metadata = value["object"].get("metadata")
    return value["type"] == "ERROR" or (
        isinstance(metadata, dict) and "resourceVersion" in metadata
    )


def _described(error: BaseException) -> str:
    """An exception on one line; aiohttp adds with which TLS settings it would have connected."""
    return " ".join(str(error).replace(" ssl:default", "").split()) or type(error).__name__
