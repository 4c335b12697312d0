"""/healthz, /readyz and /metrics over HTTP."""

import os
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from hourglass_operator.runtime.process.settings import host_and_port

_SHUTDOWN_SECONDS = 1.0
"""For answers under way at the end of the process."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


class ListenError(OSError):
    """An address is taken or is not this machine's; the text names it."""


class Servers:
    """The HTTP servers of one process."""

    def __init__(self) -> None:
        self._runners: list[web.AppRunner] = []

    async def health(self, address: str, why_not_ready: Callable[[], str]) -> None:
        """Serve /healthz (the process answers) and /readyz (empty reason: ready)."""

        async def healthz(_: web.Request) -> web.Response:
            return web.Response(text="ok\n")

        async def readyz(_: web.Request) -> web.Response:
            reason = why_not_ready()
            return web.Response(text=f"{reason or 'ok'}\n", status=503 if reason else 200)

        await self._serve("health-address", address, {"/healthz": healthz, "/readyz": readyz})

    async def metrics(self, address: str, registry: CollectorRegistry) -> None:
        """Serve /metrics in Prometheus' text format."""

        async def metrics(_: web.Request) -> web.Response:
            return web.Response(
                body=generate_latest(registry),
                headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
            )

        await self._serve("metrics-address", address, {"/metrics": metrics})

    async def stop(self) -> None:
        """Stop serving."""
        for runner in self._runners:
            await runner.cleanup()

    async def _serve(self, setting: str, address: str, handlers: dict[str, Handler]) -> None:
        place = host_and_port(address)
        if place is None:
            return
        app = web.Application()
        for path, handler in handlers.items():
            app.router.add_get(path, handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        self._runners.append(runner)
        try:
            await web.TCPSite(runner, *place).start()
        except OSError as error:
            # Errors of name look-ups have numbers of their own, below 0.
            number = error.errno or 0
            why = os.strerror(number) if number > 0 else error.strerror or str(error)
            raise ListenError(f"{setting}: cannot listen on {address}: {why}") from None
