"""How long a busy API server is left alone, and when it is asked no more."""

import asyncio

import pytest

from hourglass_operator.transport.calls import Answer
from hourglass_operator.transport.throttling import answered

TIMEOUT = 10.0
CASES: list[tuple[str, list[float | None], int, list[float], float, float | None]] = [
    ("a server that is not busy", [], 200, [0], 0, None),
    ("once later", [3], 200, [0, 3], 3, None),
    ("several times later", [3, 1, 4], 200, [0, 3, 4, 8], 8, None),
    ("later than the call may take: the caller is kept", [30], 429, [0], 10, 20),
    ("when the call's time is over", [10], 429, [0], 10, 0),
    ("when there is no time for an answer any more", [9], 429, [0], 9, 0),
    ("the second time later than the call may take", [3, 8], 429, [0, 3], 10, 1),
    ("without a time to come back", [None], 429, [0], 0, None),
    ("at once, which would be without end", [0], 429, [0], 0, 0),
]


class Server:
    """Answers 429 as often as it has times to come back; each answer takes no time."""

    def __init__(self, later: list[float | None]) -> None:
        self.now = 100.0
        self.sent: list[float] = []
        self.allowed: list[float] = []
        self._later = list(later)

    async def attempt(self, seconds: float) -> Answer:
        self.sent.append(self.now - 100.0)
        self.allowed.append(seconds)
        return Answer(429, {}, self._later.pop(0)) if self._later else Answer(200, {})

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def answer(self, *, once: bool = False) -> Answer:
        return asyncio.run(
            answered(self.attempt, TIMEOUT, once=once, sleep=self.sleep, monotonic=lambda: self.now)
        )


@pytest.mark.parametrize(
    ("later", "code", "sent", "took", "left"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_busy_server_is_asked_again_when_it_wants(
    later: list[float | None], code: int, sent: list[float], took: float, left: float | None
) -> None:
    server = Server(later)
    answer = server.answer()
    assert (answer.code, server.sent, server.now - 100.0) == (code, sent, took)
    assert answer.retry_after == left, "who waits on need not wait twice"
    assert server.allowed == [TIMEOUT - moment for moment in sent]


def test_what_may_be_sent_once_only_is() -> None:
    server = Server([3])
    answer = server.answer(once=True)
    assert (answer.code, answer.retry_after, server.sent, server.now) == (429, 3, [0], 100.0)
