"""What becomes of a request that the API server refuses with 429 and Retry-After.

client-go makes it again after that time:
https://github.com/kubernetes/client-go/blob/v0.34.0/rest/with_retry.go
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from hourglass_operator.transport.calls import Answer

_SHORTEST = 1.0
"""Seconds in which a request may well be answered; with fewer it is not made again."""


async def answered(
    attempt: Callable[[float], Awaitable[Answer]],
    timeout: float,
    *,
    once: bool,
    sleep: Callable[[float], Awaitable[object]],
    monotonic: Callable[[], float],
) -> Answer:
    """The answer to a request within `timeout` seconds; see `Caller.call` for `once`.

    `attempt` makes the request, within the seconds that it is given.
    """
    deadline = monotonic() + timeout
    while True:
        answer = await attempt(deadline - monotonic())
        if once or answer.code != 429 or not answer.retry_after:
            return answer
        now = monotonic()
        # Also in vain: whoever asks again at once would not leave the server alone.
        pause = max(0.0, min(answer.retry_after, deadline - now))
        await sleep(pause)
        if now + answer.retry_after + _SHORTEST >= deadline:
            return replace(answer, retry_after=answer.retry_after - pause)
