"""Waits for a Performer and tells meanwhile what is going on."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from hourglass_operator.client import AsyncClient, Performer
from hourglass_operator.client.progress import summary

Tell = Callable[[str], object]


def line(performer: Performer) -> str:
    """What a Performer is doing, in a line."""
    verdict = summary(performer)
    words = [str(performer.status.phase or "Pending"), verdict.reason, verdict.message]
    return ": ".join(word for word in words if word)


async def followed(
    client: AsyncClient, name: str, wait: Callable[[], Awaitable[Performer]], tell: Tell
) -> Performer:
    """What `wait` returns or raises; `tell` hears of each change until then, once."""

    async def follow() -> None:
        last = ""
        async with aclosing(client.watch(name)) as changes:
            async for change in changes:
                if line(change.performer) != last:
                    last = line(change.performer)
                    tell(last)

    following = asyncio.create_task(follow())
    try:
        return await wait()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
