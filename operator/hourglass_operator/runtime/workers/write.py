"""One write of a plan, performed against the API server."""

from hourglass_operator.controller import Outcome, Write
from hourglass_operator.transport.calls import Answer, Caller, Request


async def perform(caller: Caller, write: Write, timeout: float) -> Outcome:
    """Perform a write within `timeout` seconds; every answer, also none, becomes an outcome.

    It is never sent later by itself: by then the process may not lead any more.
    """
    name = "" if write.verb == "create" else write.name
    request = Request(
        write.verb,
        write.resource,
        write.namespace,
        name,
        write.subresource,
        write.body,
        strategic=write.strategic,
    )
    answer = await caller.call(request, timeout=timeout, once=True)
    if answer.succeeded:
        # A deletion that was final at once is answered with a Status instead of the object.
        body = None if answer.body.get("kind") == "Status" else answer.body
        return Outcome(write, answer.code, body=body)
    taken = None
    if write.verb == "create" and answer.code == 409 and answer.reason == "AlreadyExists":
        taken = await _read(caller, write, timeout)
    return _outcome(write, answer, taken)


async def _read(caller: Caller, write: Write, timeout: float) -> Answer | None:
    request = Request("get", write.resource, write.namespace, write.name)
    answer = await caller.call(request, timeout=timeout)
    return answer if answer.succeeded else None


def _outcome(write: Write, answer: Answer, taken: Answer | None) -> Outcome:
    return Outcome(
        write,
        answer.code,
        answer.reason,
        answer.message,
        taken.body if taken is not None else None,
        answer.retry_after or 0.0,
        (answer.body.get("details") or {}).get("name", ""),
    )
