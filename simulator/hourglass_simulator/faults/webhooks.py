"""Faults of the API server's admission: what others do to every object that is written."""

from random import Random
from typing import Annotated, Any, Literal

import jsonpatch
from pydantic import BeforeValidator, Field

from hourglass_simulator.apiserver.webhooks import MutatingWebhook, RefusingWebhook
from hourglass_simulator.apiserver.write import CREATE, UPDATE
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import FaultType, Target
from hourglass_simulator.scenario.mistakes import shown
from hourglass_simulator.scenario.strict import Count, Resource, filled, reads, several


def _patch(value: object) -> object:
    if isinstance(value, list):
        try:
            jsonpatch.JsonPatch(value)
        except (jsonpatch.JsonPatchException, TypeError) as error:
            raise ValueError(f"not a JSON patch (RFC 6902): {error}") from None
    elif not isinstance(value, dict):
        raise ValueError(
            "expected a strategic merge patch (keys with values) or a JSON patch (a list of"
            f" operations), found {shown(value)}"
        )
    return filled(value)


class Mutation(Parameters):
    """Which writes, and what becomes of them."""

    resource: Resource
    """Whose objects are patched."""
    operations: Annotated[
        tuple[Literal["CREATE", "UPDATE"], ...], BeforeValidator(several), BeforeValidator(filled)
    ] = (CREATE, UPDATE)
    """At their creation, at every later write (a patch is one too), or at both."""
    name: str = "*"
    """Of the objects, a name or shell pattern."""
    patch: Annotated[Any, *reads(_patch, {"type": ["object", "array"]})]
    """A strategic merge patch; as a list, the operations of a JSON patch."""


def _mutating_webhook(target: Target, p: Mutation, _: Random) -> Undo:
    """A mutating admission webhook of others patches what anybody writes."""
    webhook = MutatingWebhook(p.resource, frozenset(p.operations), p.name, p.patch)
    registered = target.cluster.api.webhooks
    registered.append(webhook)
    return lambda: registered.remove(webhook)


class Refusal(Parameters):
    """Which creations, and in what words."""

    resource: Resource
    """Whose objects are not created."""
    name: str = "*"
    """Of the objects, a name or shell pattern."""
    message: str = "not allowed here"
    """Why, as the webhook says it."""
    times: Annotated[Count, Field(ge=1)] = 1
    """How often it says it, in one answer."""


def _refusing_webhook(target: Target, p: Refusal, _: Random) -> Undo:
    """A validating admission webhook of others refuses what anybody creates."""
    webhook = RefusingWebhook(p.resource, p.name, " ".join([p.message] * p.times))
    registered = target.cluster.api.webhooks
    registered.append(webhook)
    return lambda: registered.remove(webhook)


FAULTS = (
    FaultType(
        "refusing-webhook",
        Refusal,
        _refusing_webhook,
        {"resource": "pods", "message": "images must be signed"},
    ),
    FaultType(
        "mutating-webhook",
        Mutation,
        _mutating_webhook,
        {
            "resource": "pods",
            "operations": ["CREATE"],
            "patch": {"spec": {"containers": [{"name": "istio-proxy", "image": "istio/proxyv2"}]}},
        },
    ),
)
