"""Calls in one namespace of a real API server, as cheap as Python makes them."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Self, TypeVar

import aiohttp
import yaml

from hourglass_kube.types import JSON
from hourglass_operator.transport.api import content_type
from hourglass_operator.transport.paths import path

CONNECTIONS = 100
CALL_SECONDS = 60.0

T = TypeVar("T")


class StatusError(Exception):
    """The API server answered with something else than success."""


class Api:
    """The resources of one namespace, as the user of a kubeconfig with a token."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._kubeconfig = kubeconfig
        self._namespace = namespace

    async def __aenter__(self) -> Self:
        config = yaml.safe_load(self._kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        # In a kubeconfig that kubectl has flattened the certificate is embedded.
        embedded = cluster.get("certificate-authority-data")
        tls = ssl.create_default_context(
            cafile=cluster.get("certificate-authority"),
            cadata=base64.b64decode(embedded).decode() if embedded else None,
        )
        self._session = aiohttp.ClientSession(
            cluster["server"],
            headers={"Authorization": f"Bearer {config['users'][0]['user']['token']}"},
            connector=aiohttp.TCPConnector(ssl=tls, limit=CONNECTIONS),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def call(
        self,
        method: str,
        resource: str,
        name: str = "",
        subresource: str = "",
        body: JSON | None = None,
    ) -> JSON:
        """A call; PATCH is a merge patch. Errors: `StatusError`, `aiohttp.ClientError`."""
        async with self._session.request(
            method,
            path(resource, self._namespace, name, subresource),
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type(method)},
            timeout=aiohttp.ClientTimeout(CALL_SECONDS),
        ) as response:
            answer: JSON = json.loads(await response.read())
        if response.status >= 300:
            raise StatusError(f"{method} {resource}/{name}: {response.status}: {answer}")
        return answer

    async def has_any(self, resource: str) -> bool:
        """Whether there is an object of a resource."""
        return bool((await self._list(resource, limit="1"))["items"])

    async def watch(self, resource: str) -> AsyncIterator[tuple[str, JSON]]:
        """Pairs of event type and object, beginning with what exists, as ADDED.

        Goes on where it was when the API server ends it. Errors: `StatusError`.
        """
        found = await self._list(resource)
        version = found["metadata"]["resourceVersion"]
        for item in found["items"]:
            yield "ADDED", item
        while True:
            async with self._session.get(
                path(resource, self._namespace),
                params={"watch": "true", "resourceVersion": version},
                timeout=aiohttp.ClientTimeout(total=None),
            ) as response:
                async for line in response.content:
                    event = json.loads(line)
                    # A refusal is a Status, whatever stage it comes at.
                    if event.get("type") in (None, "ERROR"):
                        raise StatusError(f"watch of {resource}: {event}")
                    version = event["object"]["metadata"]["resourceVersion"]
                    yield event["type"], event["object"]

    async def _list(self, resource: str, **query: str) -> JSON:
        where = path(resource, self._namespace)
        async with self._session.get(where, params=query) as response:
            found: JSON = json.loads(await response.read())
        return found


async def in_parallel(
    workers: int, work: Callable[[T], Awaitable[object]], items: Iterable[T]
) -> None:
    """Do the work for every item, so many at a time."""
    left = iter(items)

    async def take() -> None:
        for item in left:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(take())
