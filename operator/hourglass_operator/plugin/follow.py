"""Waits for a Performer and reports its changes meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from hourglass_operator.api.messages import essence
from hourglass_operator.client import AsyncClient, Performer
from hourglass_operator.client.progress import summary

Report = Callable[[str], object]


def line(performer: Performer) -> str:
    """What a Performer is doing, in a line, without what the scheduler says."""
    verdict = summary(performer)
    parts = [str(performer.status.phase or "Pending"), verdict.reason, essence(verdict.message)]
    return ": ".join(part for part in parts if part)


async def followed(
    client: AsyncClient, name: str, wait: Callable[[], Awaitable[Performer]], report: Report
) -> Performer:
    """What `wait` returns or raises; `report` is called with each change until then, once."""

    async def follow() -> None:
        last = ""
        async with aclosing(client.watch(name)) as changes:
            async for change in changes:
                if line(change.performer) != last:
                    last = line(change.performer)
                    report(last)

    following = asyncio.create_task(follow())
    try:
        return await wait()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
