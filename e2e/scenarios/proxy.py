"""A proxy between the operator and the API server that reports the operator's writes."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Self

import yaml
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web
from kubernetes.client import Configuration
from kubernetes.config import load_kube_config

from hourglass_simulator.scenario.backend import Write

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_HOP = {"host", "connection", "transfer-encoding", "content-length", "content-encoding"}
"""Headers of one connection, and those that are wrong once the body is taken apart."""


class Proxy:
    """Serves on a port of this machine's own while inside the context, in a thread."""

    def __init__(
        self,
        kubeconfig: Path,
        report: Callable[[Write], None],
        announce: Callable[[Write], None] = lambda _: None,
    ) -> None:
        """Both are called in the proxy's thread; a write's time is that of `time.monotonic`.

        `report`: with each write that the API server has answered; `announce`: with each before it
        is passed on (its code is 0).
        """
        self._upstream = Configuration()
        load_kube_config(str(kubeconfig), client_configuration=self._upstream)
        self._report = report
        self._announce = announce
        self._under_way = 0
        self._port: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._port.result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    @property
    def server(self) -> str:
        """The URL under which the API server is reached through this proxy."""
        return f"http://127.0.0.1:{self._port.result()}"

    def writing(self) -> bool:
        """Whether a mutating call has not been answered and reported yet."""
        return self._under_way > 0

    def write_kubeconfig(self, path: Path) -> None:
        """A kubeconfig for a client whose writes are to be reported."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxy", "cluster": {"server": self.server}}],
            "users": [{"name": "proxy", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
            "current-context": "proxy",
        }
        path.write_text(yaml.safe_dump(content))

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._forward)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        async with ClientSession(
            connector=TCPConnector(ssl=self._tls(), limit=0),
            timeout=ClientTimeout(total=None),
            auto_decompress=False,
        ) as self._session:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self._port.set_result(runner.addresses[0][1])
            await self._ended.wait()
            await runner.cleanup()

    def _tls(self) -> ssl.SSLContext | bool:
        if not self._upstream.host.startswith("https:"):
            return True
        context = ssl.create_default_context(cafile=self._upstream.ssl_ca_cert)
        if not self._upstream.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._upstream.cert_file:
            context.load_cert_chain(self._upstream.cert_file, self._upstream.key_file)
        return context

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        if token := self._upstream.get_api_key_with_prefix("BearerToken"):
            headers["Authorization"] = token
        writes = request.method in _VERBS
        self._under_way += writes
        try:
            if writes:
                self._announce(parsed(request.method, request.path, 0, time.monotonic()))
            answer = await self._session.request(
                request.method,
                self._upstream.host + request.raw_path,
                headers=headers,
                data=await request.read() or None,
                skip_auto_headers=("Content-Type",),
            )
            if writes:
                self._report(parsed(request.method, request.path, answer.status, time.monotonic()))
        finally:
            self._under_way -= writes
        async with answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP}
            if encoding := answer.headers.get("Content-Encoding"):
                kept["Content-Encoding"] = encoding
            response = web.StreamResponse(status=answer.status, headers=kept)
            # The operator may hang up at any time.
            with suppress(ConnectionError):
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
            return response


def parsed(method: str, path: str, code: int, moment: float) -> Write:
    """A mutating call as a `Write`: https://kubernetes.io/docs/reference/using-api/api-concepts/.

    The name is "" where the body of a creation holds it.
    """
    parts = path.strip("/").split("/")
    # Below /api/VERSION or /apis/GROUP/VERSION.
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    return Write(moment, _VERBS[method], resource, namespace, name, subresource, code)
