"""The client for programs without an event loop; `AsyncClient` does the work.

Its event loop runs in a thread, so that the client can be used from any thread, and beside a loop
of the program's own.
"""

import asyncio
import functools
import os
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from hourglass_operator.client.async_client import AsyncClient
from hourglass_operator.client.environment import Environment
from hourglass_operator.client.performer import Change, Performer

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(
    method: Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["Client", P], T]:
    """The same method of `Client`: same arguments, result and errors."""

    @functools.wraps(method)
    def blocking(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._run(method(self._client, *args, **kwargs))

    return blocking


class Client:
    """The methods of AsyncClient, to be used in a `with` block; each returns when it is done."""

    def __init__(
        self,
        namespace: str | None = None,
        *,
        kubeconfig: Path | None = None,
        context: str | None = None,
        variables: Mapping[str, str] = os.environ,
    ) -> None:
        """See AsyncClient."""
        self._client = AsyncClient(
            namespace, kubeconfig=kubeconfig, context=context, variables=variables
        )
        self._entered: tuple[asyncio.AbstractEventLoop, threading.Thread] | None = None

    def __enter__(self) -> Self:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="performers", daemon=True)
        self._entered = loop, thread
        thread.start()
        try:
            self._run(self._client.__aenter__())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._run(self._end())
            self._run(self._client.__aexit__())
        finally:
            self._stop()

    async def _end(self) -> None:
        """End what other threads wait for, and watches that nobody ended."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_asyncgens()

    @property
    def environment(self) -> Environment:
        """Namespace and service pattern."""
        return self._client.environment

    def endpoint(self, performer: Performer) -> str:
        """See AsyncClient.endpoint."""
        return self._client.endpoint(performer)

    create = _blocking(AsyncClient.create)
    get = _blocking(AsyncClient.get)
    list = _blocking(AsyncClient.list)
    wait_until_ready = _blocking(AsyncClient.wait_until_ready)
    upgrade = _blocking(AsyncClient.upgrade)
    scale = _blocking(AsyncClient.scale)
    restart = _blocking(AsyncClient.restart)
    move = _blocking(AsyncClient.move)
    delete = _blocking(AsyncClient.delete)

    def watch(self, name: str = "", label_selector: str = "") -> Generator[Change]:
        """See AsyncClient.watch."""
        changes = self._client.watch(name, label_selector)

        async def following() -> Change:
            return await anext(changes)

        try:
            while True:
                yield self._run(following())
        finally:
            if self._entered is not None:
                loop, thread = self._entered
                if threading.current_thread() is thread:
                    # Collected as garbage, in the very thread that the end would be waited for.
                    loop.create_task(changes.aclose())
                else:
                    self._run(changes.aclose())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._entered is None:
            work.close()
            raise RuntimeError("a Client is used in a `with` block")
        future = asyncio.run_coroutine_threadsafe(work, self._entered[0])
        try:
            return future.result()
        except BaseException:
            # Ctrl-C, or the end of the thread that waits: nobody waits for it any more.
            future.cancel()
            raise

    def _stop(self) -> None:
        assert self._entered is not None
        loop, thread = self._entered
        self._entered = None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
