"""An API server that answers as the test says, and remembers what it was asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.runtime.api import Answer


@dataclass(frozen=True)
class Call:
    verb: str
    resource: str
    namespace: str
    name: str
    subresource: str
    body: JSON | None
    query: Mapping[str, str]
    timeout: float | None
    once: bool


class Script:
    """Answers one after the other; one that can be called is given the call and makes its own."""

    server = "https://api.test"

    def __init__(self, *answers: Answer | Callable[[Call], Answer], then: Answer | None = None):
        self.answers = list(answers)
        self.then = then
        self.calls: list[Call] = []

    async def call(
        self,
        verb: str,
        resource: str,
        namespace: str = "",
        name: str = "",
        *,
        subresource: str = "",
        body: JSON | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = "application/json",
        timeout: float | None = None,
        once: bool = False,
    ) -> Answer:
        call = Call(verb, resource, namespace, name, subresource, body, query or {}, timeout, once)
        self.calls.append(call)
        answer = self.answers.pop(0) if self.answers else self.then
        assert answer is not None, f"nothing is left to answer {call}"
        return answer if isinstance(answer, Answer) else answer(call)


def done(**body: Any) -> Answer:
    return Answer(200, body)


def refused(code: int, reason: str = "", message: str = "") -> Answer:
    return Answer(code, {"kind": "Status", "reason": reason, "message": message})
