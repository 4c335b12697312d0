"""A request taken apart, and an answer to be sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.users import User, admin
from hourglass_simulator.http.negotiation import PLAIN, Media

NAMESPACES = "namespaces"
_OF_NAMESPACES = ("status", "finalize")


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is without the query; `body` is `data` as `bodies.parsed` has it, or None.

    `headers` are those that say who makes the request, by name in lower case, and `certificate` is
    whom the connection's certificate is for; without headers it is `user`, an admin. `agent` is the
    User-Agent, `host` how the client calls the server. `warnings` are found while the request is
    answered. `media` is what has been made of `accept`. `excluded` are the values of `exclude`, a
    parameter that may come several times.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    data: bytes = b""
    content_type: str = ""
    accept: str = ""
    media: Media = PLAIN
    user: str = "admin"
    agent: str = ""
    host: str = ""
    warnings: list[str] = field(default_factory=list)
    headers: Mapping[str, Sequence[str]] | None = None
    certificate: User | None = None
    identity: User | None = None
    excluded: Sequence[str] = ()

    @property
    def requester(self) -> User:
        """Who makes it."""
        return self.identity or admin(self.user)


@dataclass(frozen=True, slots=True)
class Answer:
    """A body is sent as `media` says, or as it is when it is text or bytes.

    `warnings` become Warning headers; `content_type` is given where it is not that of `media`.
    """

    code: int
    body: Any
    warnings: Sequence[str] = ()
    content_type: str = ""
    media: Media = PLAIN
    headers: Mapping[str, str] = field(default_factory=dict)


NOT_SNIFFED = {"X-Content-Type-Options": "nosniff"}
"""A header of texts that are no objects."""
NOT_FOUND = Answer(404, "404 page not found\n", headers=NOT_SNIFFED)
"""Where nothing is."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a path below /api or /apis names; empty where it names nothing."""

    group: str
    version: str
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""
    rest: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def place(path: str) -> Place | None:
    """`/apis/GROUP/VERSION/namespaces/NS/RESOURCE/NAME/SUBRESOURCE`; None if it is no such path."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 2:
        group, version, parts = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 3:
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    # /namespaces/x is an object, /namespaces/x/pods is a list of what is in it; what follows the
    # name of a namespace is a subresource only if it is one of its own.
    if parts[:1] == [NAMESPACES] and len(parts) > 2 and parts[2] not in _OF_NAMESPACES:
        namespace, parts = parts[1], parts[2:]
    resource, name, subresource, *rest = [*parts, "", "", ""]
    return Place(group, version, namespace, resource, name, subresource, tuple(filter(None, rest)))


def sent_object(request: Request) -> JSON:
    """The object in the body; 400 when there is none."""
    if not isinstance(request.body, dict):
        found = json.dumps(request.body)[:80]
        raise errors.bad_request(f"an object is expected in the body, found {found}")
    return request.body
