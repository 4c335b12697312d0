"""A request taken apart, and an answer to be sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAMESPACES = "namespaces"


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is without the query; `body` is parsed JSON, None if there is none."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = ""
    accept: str = ""
    user: str = "admin"


@dataclass(frozen=True, slots=True)
class Answer:
    """A body is sent as JSON, or as it is when it is text."""

    code: int
    body: Any


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
    if parts[:1] == [NAMESPACES] and len(parts) > 2 and parts[2] not in ("status", "finalize"):
        namespace, parts = parts[1], parts[2:]
    resource, name, subresource, *rest = [*parts, "", "", ""]
    return Place(group, version, namespace, resource, name, subresource, tuple(filter(None, rest)))
