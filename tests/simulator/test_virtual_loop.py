"""Coroutines on virtual time: what asyncio offers works, and a killed process does nothing more."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hourglass_simulator.clock import Clock
from hourglass_simulator.virtual_loop import VirtualLoop, new_event_loop

Log = Callable[[str], None]


async def sleeps(log: Log) -> None:
    await asyncio.sleep(3600.0)
    log("slept")


async def times_out(log: Log) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5.0):
            await asyncio.Event().wait()
    log("timed out")


async def waits_for_the_first(log: Log) -> None:
    slow, quick = asyncio.create_task(asyncio.sleep(9)), asyncio.create_task(asyncio.sleep(2))
    done, _ = await asyncio.wait([slow, quick], return_when=asyncio.FIRST_COMPLETED)
    log("quick" if done == {quick} else "slow")


async def hands_over(log: Log) -> None:
    queue: asyncio.Queue[str] = asyncio.Queue()
    asyncio.get_running_loop().call_later(7.0, queue.put_nowait, "handed over")
    log(await queue.get())


async def cancels(log: Log) -> None:
    task = asyncio.create_task(asyncio.sleep(100.0))
    await asyncio.sleep(1.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    log("cancelled" if task.cancelled() else "not cancelled")


CASES: list[tuple[str, Callable[[Log], Coroutine[Any, Any, None]], list[str]]] = [
    ("a sleep takes its time", sleeps, ["3600 slept"]),
    ("a time-out comes when it should", times_out, ["5 timed out"]),
    ("the first of several is waited for", waits_for_the_first, ["2 quick"]),
    ("what is put into a queue arrives", hands_over, ["7 handed over"]),
    ("a task is cancelled", cancels, ["1 cancelled"]),
]


@pytest.mark.parametrize(("work", "seen"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_asyncio(work: Callable[[Log], Coroutine[Any, Any, None]], seen: list[str]) -> None:
    clock = Clock()
    log: list[Any] = []
    loop = new_event_loop(clock)
    loop.create_task(work(lambda text: log.append(f"{clock.now:g} {text}")))
    clock.run_until(10_000.0)
    assert log == seen


def test_callbacks_of_one_moment_run_in_the_order_in_which_they_came() -> None:
    clock = Clock()
    log: list[Any] = []
    loop = new_event_loop(clock)
    for number in range(5):
        loop.call_later(1.0, log.append, number)
        clock.at(1.0, lambda number=number: log.append(-number))  # type: ignore[misc]
    clock.run_until(1.0)
    assert log == [0, 0, 1, -1, 2, -2, 3, -3, 4, -4]


def test_a_killed_process_does_nothing_more() -> None:
    clock = Clock()
    log: list[Any] = []
    loop = new_event_loop(clock)

    async def work() -> None:
        while True:
            log.append(clock.now)
            await asyncio.sleep(1.0)

    loop.create_task(work())
    clock.run_until(2.5)
    loop.kill()
    clock.run_until(10.0)
    assert log == [0.0, 1.0, 2.0]


def test_two_processes_do_not_see_each_other() -> None:
    clock = Clock()
    one, two = new_event_loop(clock), new_event_loop(clock)
    seen: list[bool] = []

    async def look(mine: VirtualLoop) -> None:
        await asyncio.sleep(1.0)
        seen.append(asyncio.get_running_loop() is mine)

    one.create_task(look(one))
    two.create_task(look(two))
    clock.run_until(2.0)
    assert seen == [True, True]


def test_what_a_callback_raises_is_raised() -> None:
    clock = Clock()
    loop = new_event_loop(clock)
    loop.call_soon(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        clock.run_until(1.0)
