"""An API server that answers as the test says, and remembers what it was asked."""

from collections.abc import Callable
from typing import Any

from hourglass_operator.transport.calls import Answer, Request


class Script:
    """Answers one after the other; one that can be called is given the request."""

    server = "https://api.test"

    def __init__(self, *answers: Answer | Callable[[Request], Answer], then: Answer | None = None):
        self.answers = list(answers)
        self.then = then
        self.calls: list[Request] = []
        self.timeouts: list[float | None] = []
        self.once: list[bool] = []

    async def call(
        self, request: Request, *, timeout: float | None = None, once: bool = False
    ) -> Answer:
        self.calls.append(request)
        self.timeouts.append(timeout)
        self.once.append(once)
        answer = self.answers.pop(0) if self.answers else self.then
        assert answer is not None, f"nothing is left to answer {request}"
        return answer if isinstance(answer, Answer) else answer(request)


def done(**body: Any) -> Answer:
    return Answer(200, body)


def refused(code: int, reason: str = "", message: str = "") -> Answer:
    return Answer(code, {"kind": "Status", "reason": reason, "message": message})
