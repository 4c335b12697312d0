"""A read of a plan, performed against the API server."""

from hourglass_operator.controller.plan import WHAT_THE_CORE_OFFERS, Found, Read
from hourglass_operator.transport.calls import Answer, Caller, Request


async def perform_read(caller: Caller, read: Read, timeout: float) -> Found:
    """What the API server says within `timeout` seconds of an object or of a Service's slices, or
    which resources it offers."""
    if read.resource == "endpointslices":
        query = {"labelSelector": f"kubernetes.io/service-name={read.name}"}
        request = Request("list", read.resource, read.namespace, query=query)
        answer = await caller.call(request, timeout=timeout)
        items = answer.body.get("items") or []
        return Found(read, tuple(items) if answer.succeeded else None)
    if read == WHAT_THE_CORE_OFFERS:
        answer = await caller.call(Request("get", read.resource), timeout=timeout)
        return Found(read, tuple(answer.body.get("resources") or ()) if answer.succeeded else None)
    request = Request("get", read.resource, read.namespace, read.name)
    answer = await caller.call(request, timeout=timeout)
    if answer.succeeded:
        return Found(read, (answer.body,))
    return Found(read, () if _not_found(answer, read) else None)


def _not_found(answer: Answer, read: Read) -> bool:
    """The API server does not know the object; a proxy's page with the code 404 does not say so."""
    named = (answer.body.get("details") or {}).get("name") == read.name
    return answer.code == 404 and answer.reason == "NotFound" and named
