"""One write of a plan, performed against the simulated API server."""

from typing import Any

from hourglass_operator.controller import Outcome, Write
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.apiserver.errors import APIError, CallTimeoutError

MERGE_PATCH = "application/merge-patch+json"


def act(api: APIServer, write: Write, user: str) -> Outcome:
    """Perform a write; every answer, also none, becomes an outcome."""
    try:
        body = _call(api, write, user)
    except CallTimeoutError as error:
        return Outcome(write, 0, "Timeout", str(error))
    except APIError as error:
        taken = None
        if write.verb == "create" and error.reason == "AlreadyExists":
            taken = _read(api, write)
        after = float((error.details or {}).get("retryAfterSeconds", 0.0))
        return Outcome(write, error.code, error.reason, error.message, taken, after)
    return Outcome(write, 200, body=None if body.get("kind") == "Status" else body)


def _call(api: APIServer, write: Write, user: str) -> dict[str, Any]:
    if write.verb == "create":
        return api.create(write.resource, write.body, namespace=write.namespace, user=user)
    if write.verb == "delete":
        return api.delete(
            write.resource,
            write.namespace,
            write.name,
            uid=write.body["preconditions"]["uid"],
            user=user,
        )
    return api.patch(
        write.resource,
        write.namespace,
        write.name,
        write.body,
        MERGE_PATCH,
        subresource=write.subresource,
        user=user,
    )


def _read(api: APIServer, write: Write) -> dict[str, Any] | None:
    try:
        return api.get(write.resource, write.namespace, write.name)
    except (APIError, CallTimeoutError):
        return None
