"""Faults of the API server as the operator meets them."""

from collections.abc import Callable
from math import ceil
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from hourglass_simulator.apiserver import APIError, CallTimeoutError, errors
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import FaultType, Target
from hourglass_simulator.scenario.strict import Bool, Count, Duration, Resource


class OfCalls(Parameters):
    """Which of the operator's calls."""

    verb: Literal["create", "patch", "delete", "list", "watch", "get"] | None = None
    """Only such calls of the operator; by default every one that would change something."""
    resource: Resource | None = None
    """Only calls for this resource."""
    call: Annotated[Count, Field(ge=1)] = 1
    """The first of them that may be struck, counted from 1."""
    times: Annotated[Count, Field(ge=1)] | None = None
    """Only so many of them."""
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Of each of them being struck."""


class Errors(OfCalls):
    """Calls, and the error."""

    code: Literal[404, 500, 502, 503, 504] = 500
    """The HTTP status."""


class Throttled(OfCalls):
    """Calls, and when to come back."""

    retry_after: Duration = 1.0
    """When to come back, as the answer says, in whole seconds."""


class Timeouts(OfCalls):
    """Calls, and whether they take effect."""

    done: Bool = True
    """The call takes effect, only its answer is lost."""


# Reason and message: of etcd's trouble, which the API server passes on, of what client-go makes of
# a proxy's answer, and of the API server's own time limit.
# https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go
# Of 404: what a server says of a path that it serves nothing under.
_ERRORS = {
    404: ("NotFound", "the server could not find the requested resource"),
    500: ("", "etcdserver: leader changed"),
    502: (
        "InternalError",
        'an error on the server ("Bad Gateway") has prevented the request from succeeding',
    ),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within the allotted timeout"),
}


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
        self._passing = calls.call - 1
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
        if self._passing:
            self._passing -= 1
            return
        if wanted.probability < 1 and self._random.random() >= wanted.probability:
            return
        if self._left is not None:
            self._left -= 1
        raise self._error(call)


def _conflict(target: Target, p: OfCalls, random: Random) -> Undo:
    """Calls are refused with 409: somebody else changed the object at that moment."""

    resources = {resource.plural: resource for resource in target.cluster.api.resources()}
    return _Interception(
        target, p, random, lambda call: errors.modified(resources[call.resource], call.name)
    ).end


def _error(target: Target, p: Errors, random: Random) -> Undo:
    """Calls fail with an error of the server."""
    reason, text = _ERRORS[p.code]
    return _Interception(target, p, random, lambda _: APIError(p.code, reason, text)).end


def _throttled(target: Target, p: Throttled, random: Random) -> Undo:
    """Calls are refused with 429: too many requests."""
    text = "the server has received too many requests and has asked us to try again later"
    details = {"retryAfterSeconds": ceil(p.retry_after)}
    return _Interception(
        target, p, random, lambda _: APIError(429, "TooManyRequests", text, details)
    ).end


def _timeout(target: Target, p: Timeouts, random: Random) -> Undo:
    """Calls are not answered."""
    return _Interception(
        target,
        p,
        random,
        lambda call: CallTimeoutError(f"{call.verb} {call.resource}"),
        late=p.done,
    ).end


def unavailable(target: Target, verb: str, resource: str, random: Random) -> Undo:
    """Calls of this verb for this resource fail with 503 until it is undone."""
    calls = Errors.model_validate({"verb": verb, "resource": resource, "code": 503})
    return _error(target, calls, random)


FAULTS = (
    FaultType("api-conflict", OfCalls, _conflict, {"verb": "patch", "times": 3}),
    FaultType("api-error", Errors, _error, {"code": 503, "probability": 0.5}),
    FaultType("api-throttled", Throttled, _throttled, {"times": 5, "retryAfter": "10s"}),
    FaultType("api-timeout", Timeouts, _timeout, {"verb": "create", "resource": "pods"}),
)
