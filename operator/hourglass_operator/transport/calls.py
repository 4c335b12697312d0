"""Requests to the API server, its answers, and who can make them."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hourglass_kube.types import JSON


@dataclass(frozen=True, slots=True)
class Request:
    """A request in Kubernetes' terms (https://kubernetes.io/docs/reference/using-api/api-concepts/).

    `verb` is get, list, create, update, patch or delete; `resource` is the plural. `body` is the
    object for create and update, a JSON merge patch for patch (a strategic one if it is
    `strategic`), and DeleteOptions for delete. `metadata_only`: of the objects of a list nothing
    else is sent.
    """

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    body: JSON | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    metadata_only: bool = False
    strategic: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server said; `code` is 0 if it did not answer, and `message` then says why."""

    code: int
    body: JSON
    retry_after: float | None = None
    """Seconds that the server asks to wait."""
    date: int | None = None
    """The server's clock when it answered, in seconds since the Unix epoch; None if not known."""

    @property
    def succeeded(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.code < 300

    @property
    def reason(self) -> str:
        """The machine-readable reason of a Status."""
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        """What went wrong, for a person."""
        return str(self.body.get("message", ""))


def no_answer(why: str) -> Answer:
    """The answer of a server that gave none."""
    return Answer(0, {"reason": "NoAnswer", "message": why})


class WatchError(Exception):
    """A watch was refused, or broke off; `answer` says why, with code 0 for a lost connection."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


class EventStream(Protocol):
    """The events of a watch, to be closed by whoever iterates over it (`contextlib.aclosing`)."""

    def __aiter__(self) -> AsyncIterator[JSON]:
        """Itself."""
        ...

    def __anext__(self) -> Awaitable[JSON]:
        """The next event; raises WatchError, also for an event of the type ERROR."""
        ...

    def aclose(self) -> Awaitable[object]:
        """Give the connection up."""
        ...


class Caller(Protocol):
    """Makes requests to an API server."""

    @property
    def server(self) -> str:
        """Its address."""
        ...

    async def call(
        self, request: Request, *, timeout: float | None = None, once: bool = False
    ) -> Answer:
        """Make a request; never raises for what the network or the server does.

        As client-go does, a request that is refused with 429 and Retry-After is made again when
        that time has passed; all within `timeout` seconds. Not so with `once`: for writes that may
        not be wanted, or allowed, any more by then.
        """
        ...


class Transport(Caller, Protocol):
    """Makes requests to an API server, and watches."""

    def watch(self, resource: str, namespace: str, query: Mapping[str, str]) -> EventStream:
        """The events of one watch, until the API server ends it."""
        ...
