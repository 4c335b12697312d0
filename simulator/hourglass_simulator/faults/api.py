"""Faults of the API server as the operator meets them."""

from collections.abc import Callable
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from hourglass_simulator.apiserver import APIError, CallTimeout
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.faults.target import FaultType, Target, Undo
from hourglass_simulator.scenario.strict import Count, Resource, Strict


class OfCalls(Strict):
    """Which of the operator's calls: by `verb` and `resource`, the first `times` of them, each
    with this `probability`. By default every mutating call."""

    verb: Literal["create", "patch", "delete", "list", "watch", "get"] | None = None
    resource: Resource | None = None
    times: Annotated[Count, Field(ge=1)] | None = None
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0


class Errors(OfCalls):
    """`code`: the HTTP status."""

    code: Literal[500, 502, 503, 504] = 500


class Timeouts(OfCalls):
    """`done`: the call takes effect, only its answer is lost."""

    done: bool = True


class _Interception:
    """Raises for the calls that the parameters name."""

    def __init__(
        self,
        target: Target,
        calls: OfCalls,
        random: Random,
        error: Callable[[Call], Exception],
        *,
        late: bool = False,
    ) -> None:
        self._user = target.operator_user
        self._calls = calls
        self._random = random
        self._error = error
        self._late = late
        self._left = calls.times
        target.cluster.api.interceptors.append(self)
        self._interceptors = target.cluster.api.interceptors

    def before(self, call: Call) -> None:
        """Get in the way."""
        if not self._late:
            self._strike(call)

    def after(self, call: Call) -> None:
        """Lose the answer."""
        if self._late:
            self._strike(call)

    def end(self) -> None:
        """Let every call pass."""
        self._interceptors.remove(self)

    def _strike(self, call: Call) -> None:
        wanted = self._calls
        if call.user != self._user or self._left == 0:
            return
        if not (call.verb == wanted.verb if wanted.verb else call.mutating):
            return
        if wanted.resource not in (None, call.resource):
            return
        if wanted.probability < 1 and self._random.random() >= wanted.probability:
            return
        if self._left is not None:
            self._left -= 1
        raise self._error(call)


def _conflict(target: Target, p: OfCalls, random: Random) -> Undo:
    """Calls are refused with 409: somebody else changed the object at that moment."""

    def error(call: Call) -> Exception:
        text = (
            f'Operation cannot be fulfilled on {call.resource} "{call.name}": the object has been'
            " modified; please apply your changes to the latest version and try again"
        )
        return APIError(409, "Conflict", text)

    return _Interception(target, p, random, error).end


def _error(target: Target, p: Errors, random: Random) -> Undo:
    """Calls fail with an error of the server."""
    reason = {500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}.get(p.code, "")
    return _Interception(
        target, p, random, lambda _: APIError(p.code, reason, "the server is in trouble")
    ).end


def _throttled(target: Target, p: OfCalls, random: Random) -> Undo:
    """Calls are refused with 429: too many requests."""
    text = "the server has received too many requests and has asked us to try again later"
    return _Interception(target, p, random, lambda _: APIError(429, "TooManyRequests", text)).end


def _timeout(target: Target, p: Timeouts, random: Random) -> Undo:
    """Calls are not answered."""
    return _Interception(
        target, p, random, lambda call: CallTimeout(f"{call.verb} {call.resource}"), late=p.done
    ).end


FAULTS = (
    FaultType("api-conflict", OfCalls, _conflict),
    FaultType("api-error", Errors, _error),
    FaultType("api-throttled", OfCalls, _throttled),
    FaultType("api-timeout", Timeouts, _timeout),
)
