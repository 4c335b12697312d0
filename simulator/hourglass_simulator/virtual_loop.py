"""An asyncio event loop on virtual time: coroutines run as actions of the simulation's clock."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from typing import Any, TypeVar, TypeVarTuple
from weakref import WeakSet

from hourglass_simulator.clock import Clock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class VirtualLoop(asyncio.AbstractEventLoop):
    """One process: what its coroutines wait for is due on the clock, in a fixed order.

    Sockets, threads and signals are not there. `kill` ends it at once, as SIGKILL does: nothing
    that it had begun goes on.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._killed = False
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._held: list[asyncio.Handle] | None = None
        """What has become due while it is suspended."""

    def suspend(self) -> None:
        """Run nothing until `resume`, as after SIGSTOP."""
        if self._held is None:
            self._held = []

    def resume(self) -> None:
        """Run what has become due meanwhile, in its order, and go on."""
        held, self._held = self._held or [], None
        for handle in held:
            self._clock.at(self._clock.now, partial(self._run, handle))

    def kill(self) -> None:
        """Run nothing any more."""
        self._killed = True
        for task in self._tasks:
            coroutine = task.get_coro()
            # Python would warn of what has not begun; what has is left where it is.
            if isinstance(coroutine, Coroutine) and getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()

    def time(self) -> float:
        """Seconds since the start of the simulation."""
        return self._clock.now

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Run a callback at this moment, after what is already due."""
        handle = asyncio.Handle(callback, args, self, context)
        self._clock.at(self._clock.now, partial(self._run, handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback so many seconds from now."""
        return self.call_at(self._clock.now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at a moment of `time`."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._clock.at(when, partial(self._run, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        """Run a coroutine."""
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks.add(task)
        return task

    def get_debug(self) -> bool:
        """Whether asyncio's debug mode is on."""
        return False

    def is_running(self) -> bool:
        """Whether it runs."""
        return not self._killed

    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self._killed

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Raise what a callback has raised: a mistake must not pass unseen in a simulation."""
        if not self._killed and (error := context.get("exception")) is not None:
            raise error

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by asyncio; a cancelled handle is passed over when it is due."""

    def _run(self, handle: asyncio.Handle) -> None:
        if self._killed or handle.cancelled():
            return
        if self._held is not None:
            self._held.append(handle)
            return
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            handle._run()
        finally:
            asyncio._set_running_loop(before)


def new_event_loop(clock: Clock) -> VirtualLoop:
    """A loop on this clock."""
    # What a simulation has no use for, such as sockets, stays abstract.
    return VirtualLoop(clock)  # type: ignore[abstract]
