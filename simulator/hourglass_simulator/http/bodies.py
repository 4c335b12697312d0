"""Bodies of requests and answers: JSON, YAML and protobuf; large answers compressed.

https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
"""

import gzip
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
import yaml
from aiohttp import web
from multidict import CIMultiDict

from hourglass_simulator.apiserver.go_values import Number, Repeated
from hourglass_simulator.apiserver.schema_error import quoted
from hourglass_simulator.http import json_syntax, yaml_bodies
from hourglass_simulator.http.apply_body import APPLY
from hourglass_simulator.http.negotiation import PLAIN, PROTOBUF_TYPE, YAML_TYPE, Media
from hourglass_simulator.http.request import Answer
from hourglass_simulator.kubernetes.version import Version
from hourglass_simulator.protobuf import envelope

COMPRESSED_FROM = 128 * 1024
"""Bytes from which on an answer is compressed: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/."""
_EXPONENT = re.compile(rb"[:,\[]-?\d+(?:\.\d+)?e[-+]?\d")
NO_KIND = "couldn't get version/kind; json parse error: "


class Malformed(NamedTuple):
    """Why a body is nothing at all, in Go's words."""

    why: str


def parsed(data: bytes, content_type: str = "") -> Any:
    """The value of a body, None if there is none; Malformed or an Envelope where it is no JSON.

    What is applied is read by `apply_body`, and None here.
    """
    if content_type == PROTOBUF_TYPE:
        try:
            return envelope.opened(data)
        except envelope.NotAnEnvelopeError as error:
            return Malformed(str(error))
    if not data or content_type == APPLY:
        return None
    if content_type.endswith("yaml"):
        try:
            return yaml_bodies.load(data)
        except yaml_bodies.YAMLError as error:
            return Malformed(str(error))
    return _json(data)


def _json(data: bytes) -> Any:
    text = data.decode(errors="replace")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=Number, parse_constant=_refuse
        )
    except RecursionError:
        return Malformed(NO_KIND + json_syntax.max_depth(data))
    except ValueError:
        if why := json_syntax.fault(data):
            return Malformed(NO_KIND + why)
        # An integer with more digits than Python reads.
        value = json.loads(text, object_pairs_hook=_object, parse_float=Number, parse_int=_integer)
    return _without_surrogates(value) if b"\\u" in data else value


def _refuse(name: str) -> None:
    raise ValueError(name)


def _integer(text: str) -> int | float:
    return int(text) if len(text) < 20 else Number(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, which remembers the names that came more than once."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    several = Repeated(found)
    several.repeated = tuple(name for i, name in enumerate(names) if name in names[:i])
    return several


def _without_surrogates(value: Any) -> Any:
    """Half a character is none: Go puts the replacement character in its place."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, dict):
        for name in [name for name in value if not name.isprintable()]:
            value[_without_surrogates(name)] = value.pop(name)
        for name, each in value.items():
            value[name] = _without_surrogates(each)
    return value


def sent(answer: Answer, asked: Mapping[str, str], version: Version) -> web.Response:
    """The response; `asked` are the headers of the request.

    When to come back is in a Status and in a header, as a real API server has it.
    """
    headers = CIMultiDict(usual_headers())
    headers["Content-Type"] = answer.content_type or answer.media.type
    if isinstance(answer.body, bytes):
        body = answer.body
        if not body:
            del headers["Content-Type"]
    elif isinstance(answer.body, str):
        headers["Content-Type"] = answer.content_type or "text/plain; charset=utf-8"
        body = answer.body.encode()
    else:
        body = encoded(answer.body, answer.media, version)
    if answer.code in (429, 504) and isinstance(answer.body, dict):
        after = (answer.body.get("details") or {}).get("retryAfterSeconds")
        if after:
            headers["Retry-After"] = str(after)
    for warning in warning_headers(answer):
        headers.add("Warning", warning)
    for name, value in answer.headers.items():
        headers[name] = value
    if len(body) >= COMPRESSED_FROM and "gzip" in asked.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"
        body = gzip.compress(body, compresslevel=1, mtime=0)
    return web.Response(body=body, status=answer.code, headers=headers)


def usual_headers() -> dict[str, str]:
    """Those of every answer."""
    return {"Audit-Id": str(uuid4()), "Cache-Control": "no-cache, private"}


def encoded(obj: Any, media: Media, version: Version) -> bytes:
    """An object in a format."""
    if media.type == PROTOBUF_TYPE:
        return envelope.encode(version, obj)
    if media.type == YAML_TYPE:
        text: str = yaml.dump(obj, Dumper=_Dumper)
        return text.encode()
    if media.pretty:
        return json.dumps(obj, indent=2, ensure_ascii=False).encode()
    return _compact(obj) + b"\n"


def _compact(obj: Any) -> bytes:
    """JSON without spaces; by orjson where that writes the same."""
    try:
        text = orjson.dumps(obj)
    except TypeError:
        text = b""
    # Numbers with an exponent are written otherwise, and what orjson refuses is written too.
    if not text or _EXPONENT.search(text):
        return json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode()
    return text


def event(event_type: str, obj: Any, media: Media, version: Version) -> bytes:
    """An event of a watch in a format."""
    if media.type == PROTOBUF_TYPE:
        return envelope.frame(version, event_type, obj)
    return encoded({"type": event_type, "object": obj}, PLAIN, version)


class _Dumper(yaml.SafeDumper):
    """Says everything again where it comes again, as Go does."""

    def ignore_aliases(self, _: Any) -> bool:
        """Always."""
        return True


_Dumper.add_representer(Number, yaml.SafeDumper.represent_float)
_Dumper.add_representer(Repeated, yaml.SafeDumper.represent_dict)


def warning_headers(answer: Answer) -> list[str]:
    """A header for each warning: https://www.rfc-editor.org/rfc/rfc7234#section-5.5."""
    return [f"299 - {quoted(warning)}" for warning in answer.warnings]
