"""A request with its body decoded and the media of its answer chosen; refusals come first."""

from dataclasses import replace
from typing import Any, NamedTuple

from hourglass_simulator.apiserver import APIError, errors, patches
from hourglass_simulator.apiserver.go_values import kind_of, plain
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.http import apply_body, list_options, negotiation, typed
from hourglass_simulator.http.bodies import NO_KIND, Malformed
from hourglass_simulator.http.forms import Form
from hourglass_simulator.http.negotiation import Media
from hourglass_simulator.http.request import Place, Request
from hourglass_simulator.kubernetes.version import Version
from hourglass_simulator.protobuf import envelope
from hourglass_simulator.protobuf.envelope import Envelope

_INCLUDED = ("", "None", "Metadata", "Object")
_OPTIONS = ("meta.k8s.io/v1", "DeleteOptions")


def request(asked: Request, found: Place, resource: Resource, version: Version) -> Request:
    """The request as the resource takes it; 400, 406 or 415 where it does not."""
    listing = asked.method == "GET" and not found.name
    media = negotiation.of_objects(
        asked.accept, custom=resource.custom, streams=listing, watches=False
    )
    include = asked.query.get("includeObject", "")
    if media.form is Form.TABLE and include not in _INCLUDED:
        why = f"Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
        raise errors.bad_request(f"Unable to convert to Table as requested: includeObject: {why}")
    if listing:
        list_options.integer(asked.query, "timeoutSeconds")
    if _pretty(asked) and not media.pretty:
        media = replace(media, pretty=True)
    if asked.method == "GET":
        return replace(asked, media=media)
    if asked.method == "PATCH":
        return replace(asked, media=media, body=_patch(asked, resource, version))
    own = (resource.api_version, resource.kind)
    kind = _OPTIONS if asked.method == "DELETE" else typed.SUBRESOURCES.get(found.subresource, own)
    body = _body(asked, kind, resource, version)
    if asked.method != "DELETE" and isinstance(body, dict):
        name = found.name if asked.method == "PUT" else ""
        typed.check(body, resource, found.subresource, name, version)
    return replace(asked, media=media, body=body)


class Watching(NamedTuple):
    """How a watch is sent, and for how many seconds (0: as the server likes)."""

    media: Media
    seconds: float

    @property
    def content_type(self) -> str:
        """Of the answer."""
        plain = self.media.type == negotiation.JSON_TYPE
        return self.media.type + ("" if plain else negotiation.STREAM)


def watch(asked: Request, resource: Resource) -> Watching:
    """What a watch asks for; 400 or 406 where it cannot be had."""
    media = negotiation.of_objects(asked.accept, custom=resource.custom, streams=True, watches=True)
    return Watching(media, max(0, list_options.integer(asked.query, "timeoutSeconds")))


def _pretty(asked: Request) -> bool:
    return asked.query.get("pretty", "") in ("1", "t", "T", "true", "TRUE", "True")


def _body(asked: Request, kind: tuple[str, str], resource: Resource, version: Version) -> Any:
    is_options = asked.method == "DELETE"
    if is_options and not asked.data and not asked.body:
        return None
    custom = resource.custom and not is_options
    types = negotiation.CUSTOM_TYPES if custom else negotiation.ALL_TYPES
    if asked.content_type not in ("", *types):
        raise _unsupported()
    body = asked.body
    if isinstance(body, Envelope):
        return _opened(body, kind, resource, version)
    if resource.custom and not is_options and not isinstance(body, Malformed):
        return _custom(asked, body, kind)
    if isinstance(body, dict):
        for name, value in body.items() if not is_options else ():
            if name in _NAMES and value is not None and not isinstance(value, str):
                raise _unrecognized(kind[1], _no_string(name, value), asked.data)
        return body
    if body is None and (asked.data or asked.content_type == negotiation.YAML_TYPE):
        # null is an object without fields, and in YAML nothing is null.
        return {}
    why = body.why if isinstance(body, Malformed) else NO_KIND + _not_a_struct(body)
    if is_options:
        raise errors.bad_request(why)
    raise _unrecognized(kind[1], why, asked.data)


def _unrecognized(kind: str, why: str, data: bytes) -> APIError:
    why = f"the object provided is unrecognized (must be of type {kind}): {why}"
    return errors.bad_request(f"{why} ({_quoted(data)})")


_NAMES = ("kind", "apiVersion")


def _no_string(name: str, value: Any) -> str:
    where = f"Go struct field .{name} of type string"
    return f"{NO_KIND}json: cannot unmarshal {kind_of(value)} into {where}"


def _custom(asked: Request, body: Any, kind: tuple[str, str]) -> Any:
    """The body of a custom resource, which is decoded without a type."""
    data = asked.data
    why = ""
    if not isinstance(body, dict):
        why = NO_KIND + _not_a_struct(body)
        if body is None and data:
            why = f"Object 'Kind' is missing in '{data.decode(errors='replace')}'"
        body = {}
    elif data and not body.get("kind"):
        why = f"Object 'Kind' is missing in '{data.decode(errors='replace')}'"
    elif not isinstance(body.get("kind", ""), str):
        why = _no_string("kind", body["kind"])
    if why:
        raise _unrecognized(kind[1], why, data)
    try:
        body = plain(body)
        if not isinstance(body.get("metadata") or {}, dict):
            found = kind_of(body["metadata"])
            raise ValueError(f"json: cannot unmarshal {found} into Go value of type v1.ObjectMeta")
    except ValueError as error:
        named = f'{kind[1]} in version "{kind[0].rpartition("/")[2]}"'
        raise errors.bad_request(f"{named} cannot be handled as a {kind[1]}: {error}") from None
    return body


def _patch(asked: Request, resource: Resource, version: Version) -> Any:
    """A patch, or the bytes of what is applied; 400 for what is none."""
    if asked.content_type == apply_body.APPLY:
        return asked.data
    patches.require_supported(asked.content_type, resource)
    listed = asked.content_type == patches.JSON_PATCH
    body = asked.body
    begins = "" if asked.content_type == patches.STRATEGIC else "error decoding patch: "
    is_nothing = body is None and not asked.data
    if version.minor >= 37 and (is_nothing or isinstance(body, Malformed)):
        raise errors.bad_request("invalid JSON patch")
    if isinstance(body, Malformed):
        raise errors.bad_request(begins + body.why.removeprefix(NO_KIND))
    if body is None:
        if is_nothing:
            raise errors.bad_request(f"{begins}unexpected end of JSON input")
        if asked.content_type == patches.MERGE:
            raise errors.bad_request("Invalid JSON Patch")
        return [] if listed else {}
    if not isinstance(body, list if listed else dict):
        go_type = "[]handlers.jsonPatchOp" if listed else "map[string]interface {}"
        why = f"json: cannot unmarshal {kind_of(body)} into Go value of type {go_type}"
        raise errors.bad_request(begins + why)
    try:
        return plain(body) if resource.custom else body
    except ValueError as error:
        raise errors.bad_request(begins + str(error)) from None


def _not_a_struct(body: Any) -> str:
    if body is None:
        return "unexpected end of JSON input"
    go_type = (
        'struct { APIVersion string "json:\\"apiVersion,omitempty\\"";'
        ' Kind string "json:\\"kind,omitempty\\"" }'
    )
    return f"json: cannot unmarshal {kind_of(body)} into Go value of type {go_type}"


def _quoted(data: bytes) -> str:
    """The first thirty bytes of a body, in hexadecimal if it is no object."""
    if not data:
        return "<empty>"
    first, more = data[:30], " ..." if len(data) > 30 else ""
    as_text = data.lstrip(b" \t\r\n").startswith(b"{")
    return (first.decode(errors="replace") if as_text else first.hex()) + more


def _opened(body: Envelope, kind: tuple[str, str], resource: Resource, version: Version) -> Any:
    body = Envelope(body.api_version or kind[0], body.kind or kind[1], body.raw)
    try:
        found = envelope.decode(version, body)
    except ValueError as error:
        short = body.api_version.rpartition("/")[2]
        raise errors.undecodable(resource, str(error), body.kind, short) from None
    if found is None:
        return {"apiVersion": body.api_version, "kind": body.kind}
    return found


def _unsupported() -> APIError:
    text = "the body of the request was in an unknown format - accepted media types include: "
    return APIError(415, "UnsupportedMediaType", text + ", ".join(negotiation.ALL_TYPES))
