"""Calls to the API server: raw JSON, each with a time-out, each counted."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.rest import RESTResponse

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, VERSION

MERGE_PATCH = "application/merge-patch+json"
NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Accept: only the metadata of the objects of a list."""

_SHORTEST = 1.0
"""Seconds in which a call may well be answered; with fewer it is not made again."""

GROUP_VERSIONS = {
    "performers": (GROUP, VERSION),
    "endpointslices": ("discovery.k8s.io", "v1"),
    "leases": ("coordination.k8s.io", "v1"),
    "selfsubjectaccessreviews": ("authorization.k8s.io", "v1"),
    "nodes": ("", "v1"),
    "pods": ("", "v1"),
    "services": ("", "v1"),
    "events": ("", "v1"),
}
"""API group and version of the resources that are called or watched."""

_METHODS = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server said; `code` is 0 if it did not answer, and `message` then says why."""

    code: int
    body: JSON
    retry_after: float | None = None
    """Seconds that the server asks to wait."""

    @property
    def succeeded(self) -> bool:
        """The call was done."""
        return 200 <= self.code < 300

    @property
    def reason(self) -> str:
        """The machine-readable reason of a Status."""
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        """What went wrong, in words."""
        return str(self.body.get("message", ""))


class CallObserver(Protocol):
    """Hears of every call that has ended."""

    def called(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """A call has ended; `code` is 0 if no answer came."""
        ...


class Caller(Protocol):
    """Makes calls to an API server; see `Api`."""

    @property
    def server(self) -> str:
        """Its address."""
        ...

    async def call(
        self,
        verb: str,
        resource: str,
        namespace: str = "",
        name: str = "",
        *,
        subresource: str = "",
        body: JSON | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = "application/json",
        timeout: float | None = None,
        once: bool = False,
    ) -> Answer:
        """Make a call; never raises for what the network or the server does.

        As client-go does, a call that is refused with 429 and Retry-After is made again when that
        time has passed, and the caller waits; all within `timeout` seconds. Not so with `once`: for
        writes that may not be wanted, or allowed, any more by then.
        """
        ...


class Api:
    """Calls by Kubernetes' verbs (https://kubernetes.io/docs/reference/using-api/api-concepts/)."""

    def __init__(
        self,
        configuration: Configuration,
        timeout: float,
        observer: CallObserver | None = None,
        user_agent: str = "hourglass-performer-operator",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timeout`: seconds that a call may take."""
        self.server: str = configuration.host
        self._client = ApiClient(configuration)
        self._client.user_agent = user_agent
        self._timeout = timeout
        self._observer = observer
        self._sleep = sleep
        self._monotonic = monotonic

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def call(
        self,
        verb: str,
        resource: str,
        namespace: str = "",
        name: str = "",
        *,
        subresource: str = "",
        body: JSON | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = "application/json",
        timeout: float | None = None,
        once: bool = False,
    ) -> Answer:
        """Make a call; see Caller."""
        deadline = self._monotonic() + (self._timeout if timeout is None else timeout)
        url = path(resource, namespace, name, subresource)
        while True:
            started = self._monotonic()
            answer = await self._answer(verb, url, query or {}, body, accept, deadline - started)
            now = self._monotonic()
            if self._observer is not None:
                self._observer.called(verb, resource, answer.code, now - started)
            if once or answer.code != 429 or not answer.retry_after:
                return answer
            # Also in vain: whoever asks again at once would not leave the server alone.
            pause = max(0.0, min(answer.retry_after, deadline - now))
            await self._sleep(pause)
            if now + answer.retry_after + _SHORTEST >= deadline:
                return replace(answer, retry_after=answer.retry_after - pause)

    async def _answer(
        self,
        verb: str,
        url: str,
        query: Mapping[str, str],
        body: JSON | None,
        accept: str,
        timeout: float,
    ) -> Answer:
        started = self._monotonic()
        try:
            async with asyncio.timeout(timeout):
                return await read(await self.send(verb, url, query, body, accept))
        except TimeoutError:
            return no_answer(f"no answer within {self._monotonic() - started:.1f} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # aiohttp says with which TLS settings it would have connected.
            return no_answer(str(error).replace(" ssl:default", "") or type(error).__name__)

    async def send(
        self,
        verb: str,
        url: str,
        query: Mapping[str, str],
        body: JSON | None = None,
        accept: str = "application/json",
        silence: aiohttp.ClientTimeout | None = None,
    ) -> RESTResponse:
        """The head of an answer, which is yet to be read; `silence` is what aiohttp bears of it.

        Raises aiohttp.ClientError, OSError (TimeoutError is one) and ValueError.
        """
        content_type = MERGE_PATCH if verb == "patch" else "application/json"
        request = await self._client.param_serialize(
            _METHODS[verb],
            f"{url}?{urlencode(query)}" if query else url,
            header_params={"Accept": accept, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        return await self._client.call_api(*request, _request_timeout=silence)


async def read(response: RESTResponse) -> Answer:
    """The whole of an answer."""
    data = await response.read()
    after = response.getheader("Retry-After")
    return Answer(
        response.status,
        _body(data),
        float(after) if after is not None and after.isdecimal() else None,
    )


def path(resource: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a resource, an object or a subresource."""
    group, version = GROUP_VERSIONS[resource]
    base = f"/apis/{group}/{version}" if group else f"/api/{version}"
    parts = (base, f"namespaces/{namespace}" if namespace else "", resource, name, subresource)
    return "/".join(part for part in parts if part)


def _parse(text: bytes) -> Any:
    """JSON without managedFields: they are half of an object, and nothing here reads them.

    Left out while a list is parsed, they are never in memory together. In an update the API server
    takes an object without them as one that leaves them as they are.
    """
    return json.loads(text, object_hook=_without_managed_fields)


def _without_managed_fields(obj: JSON) -> JSON:
    # An annotation of that name is a text.
    if isinstance(obj.get("managedFields"), list):
        del obj["managedFields"]
    return obj


def _body(data: bytes) -> JSON:
    try:
        body = _parse(data)
    except ValueError:
        # Proxies, and the API server itself for paths it does not know, answer in plain text.
        return {"message": data.decode(errors="replace").strip()}
    return body if isinstance(body, dict) else {}


def no_answer(why: str) -> Answer:
    """The answer of a server that gave none."""
    return Answer(0, {"reason": "NoAnswer", "message": why})
