"""From what comes over the wire to a request."""

from collections.abc import Mapping

from hourglass_simulator.http import negotiation
from hourglass_simulator.http.bodies import parsed
from hourglass_simulator.http.request import Request


def received(
    method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], data: bytes
) -> Request:
    """The request; `path` and `query` are without their percent signs, `headers` of any case."""
    content_type = negotiation.content_type(headers.get("Content-Type", ""))
    return Request(
        method=method,
        path=path,
        query=query,
        body=parsed(data, content_type),
        data=data,
        content_type=content_type,
        accept=headers.get("Accept", ""),
        agent=headers.get("User-Agent", ""),
        host=headers.get("Host", ""),
    )
