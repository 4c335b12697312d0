"""Calls to the API server: raw JSON, each with a time-out, each counted."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration

from hourglass_operator.api import GROUP, VERSION

JSON = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Accept: only the metadata of the objects of a list."""

_BASES = {
    "performers": f"/apis/{GROUP}/{VERSION}",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "selfsubjectaccessreviews": "/apis/authorization.k8s.io/v1",
    "nodes": "/api/v1",
    "pods": "/api/v1",
    "services": "/api/v1",
    "events": "/api/v1",
}
_METHODS = {"get": "GET", "list": "GET", "create": "POST", "patch": "PATCH", "delete": "DELETE"} | {
    "update": "PUT"
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
    ) -> Answer:
        """Make a call; never raises for what the network or the server does."""
        ...


class Api:
    """Calls by Kubernetes' verbs (https://kubernetes.io/docs/reference/using-api/api-concepts/)."""

    def __init__(
        self, configuration: Configuration, timeout: float, observer: CallObserver
    ) -> None:
        self.server: str = configuration.host
        self._client = ApiClient(configuration)
        self._client.user_agent = "hourglass-performer-operator"
        self._timeout = timeout
        self._observer = observer

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
    ) -> Answer:
        """Make a call; never raises for what the network or the server does."""
        started = monotonic()
        url = path(resource, namespace, name, subresource)
        if query:
            url += "?" + urlencode(query)
        content_type = MERGE_PATCH if verb == "patch" else "application/json"
        headers = {"Accept": accept, "Content-Type": content_type}
        try:
            async with asyncio.timeout(self._timeout if timeout is None else timeout):
                answer = await self._send(_METHODS[verb], url, headers, body)
        except TimeoutError:
            answer = _no_answer(f"no answer within {monotonic() - started:.1f} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            answer = _no_answer(str(error) or type(error).__name__)
        self._observer.called(verb, resource, answer.code, monotonic() - started)
        return answer

    async def _send(
        self, method: str, url: str, headers: dict[str, str], body: JSON | None
    ) -> Answer:
        request = await self._client.param_serialize(
            method, url, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        response = await self._client.call_api(*request)
        data = await response.read()
        after = response.getheader("Retry-After")
        return Answer(
            response.status,
            _parse(data),
            float(after) if after is not None and after.isdecimal() else None,
        )


def path(resource: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a resource, an object or a subresource."""
    parts = [_BASES[resource], f"namespaces/{namespace}" if namespace else "", resource]
    return "/".join(part for part in (*parts, name, subresource) if part)


def _parse(data: bytes) -> JSON:
    try:
        body = json.loads(data)
    except ValueError:
        # Proxies, and the API server itself for paths it does not know, answer in plain text.
        return {"message": data.decode(errors="replace").strip()}
    return body if isinstance(body, dict) else {}


def _no_answer(why: str) -> Answer:
    return Answer(0, {"reason": "NoAnswer", "message": why})
