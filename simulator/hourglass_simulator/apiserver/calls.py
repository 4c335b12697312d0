"""Calls to the API server as interceptors and auditors see them."""

from typing import NamedTuple, Protocol


class Call(NamedTuple):
    """One call; `verb` is create, update, patch, delete, deletecollection, get, list or watch.

    `name` is empty where none is given: list, watch, and create with `generateName`.
    """

    verb: str
    resource: str
    namespace: str
    name: str
    subresource: str
    user: str

    @property
    def mutating(self) -> bool:
        """It is meant to change something."""
        return self.verb in ("create", "update", "patch", "delete", "deletecollection")


class Audit(NamedTuple):
    """A mutating call that was answered: `code` is the HTTP status, 0 for a time-out."""

    time: float
    call: Call
    code: int


class Interceptor(Protocol):
    """Lets faults get in the way of calls by raising APIError or CallTimeoutError.

    What is to be read can be brought up to date before.
    """

    def before(self, call: Call) -> None:
        """Before anything is done; raising prevents the call."""

    def after(self, call: Call) -> None:
        """After it was done; raising loses the answer."""
