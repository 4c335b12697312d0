"""In which format and form an answer is sent.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hourglass_simulator.apiserver import APIError
from hourglass_simulator.http.forms import Form

JSON_TYPE = "application/json"
YAML_TYPE = "application/yaml"
PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf"
ALL_TYPES = (JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE)
CUSTOM_TYPES = (JSON_TYPE, YAML_TYPE)
"""Custom resources have no protocol buffers."""
STREAM = ";stream=watch"
_STREAMED = (JSON_TYPE, PROTOBUF_TYPE)
_META, _META_VERSIONS = "meta.k8s.io", ("v1", "v1beta1")
_FORMS = {
    "Table": Form.TABLE,
    "PartialObjectMetadata": Form.METADATA,
    "PartialObjectMetadataList": Form.METADATA_LIST,
}


@dataclass(frozen=True, slots=True)
class Media:
    """A format; `form` is that of objects, in a version of meta.k8s.io; `pretty`: JSON indented."""

    type: str = JSON_TYPE
    form: Form = Form.WHOLE
    version: str = "v1"
    pretty: bool = False

    @property
    def meta(self) -> str:
        """The apiVersion of tables and metadata."""
        return f"{_META}/{self.version}"


PLAIN = Media()
"""JSON, as it is sent to whoever accepts anything."""


class _Clause(NamedTuple):
    """A part of an Accept header."""

    type: str
    subtype: str
    parameters: dict[str, str]
    quality: float


Target = tuple[str, str, str]
"""The group, version and kind that `g`, `v` and `as` ask for."""
Allowed = Callable[[str, Target | None], Media | None]
"""What a type and a target mean; None where they are not served."""


def of_objects(accept: str, *, custom: bool, streams: bool, watches: bool) -> Media:
    """The media of a resource's objects; 406 where nothing is that is accepted.

    `streams`: the route can also be watched; `watches`: it is.
    """
    if not custom:
        types = ALL_TYPES + (tuple(each + STREAM for each in _STREAMED) if streams else ())
        _require_route(accept, types)

    def allowed(media_type: str, target: Target | None) -> Media | None:
        if target is None:
            return None if custom and media_type not in CUSTOM_TYPES else Media(media_type)
        group, version, kind = target
        form = _FORMS.get(kind)
        if group != _META or version not in _META_VERSIONS or form is None:
            return None
        if form is Form.TABLE and media_type == PROTOBUF_TYPE:
            return None
        return Media(media_type, form, version)

    media = _negotiated(accept, allowed)
    if media is None:
        raise not_acceptable(ALL_TYPES)
    if watches and media.type not in _STREAMED:
        raise not_acceptable([each + STREAM for each in _STREAMED])
    return media


def of_errors(accept: str) -> Media:
    """The media of a Status: JSON, indented, where nothing is that is accepted."""

    def allowed(media_type: str, target: Target | None) -> Media | None:
        return Media(media_type) if target is None else None

    return _negotiated(accept, allowed) or Media(pretty=True)


def of_documents(accept: str, *, routed: bool) -> Media:
    """The media of what discovery says; 406 where nothing is that is accepted."""
    if routed:
        _require_route(accept, ALL_TYPES)

    def allowed(media_type: str, target: Target | None) -> Media | None:
        return Media(media_type) if target is None else None

    media = _negotiated(accept, allowed)
    if media is None:
        raise not_acceptable(ALL_TYPES)
    return media


def require_json(accept: str) -> None:
    """406 where JSON is all there is, and not what is accepted."""
    _require_route(accept, (JSON_TYPE,))


def of_openapi(accept: str, version: str) -> str:
    """The type that an OpenAPI document (`v2`, `v3`) is sent in; empty where none is accepted.

    https://github.com/kubernetes/kube-openapi/blob/master/pkg/handler/handler.go
    """
    protobuf = f"application/com.github.proto-openapi.spec.{version}"
    sent = f"{protobuf}.v1.0+protobuf"
    served = {JSON_TYPE: JSON_TYPE, f"{protobuf}@v1.0+protobuf": sent, sent: sent}
    for clause in _clauses(accept or "*/*"):
        for named, media_type in served.items():
            kind, _, subtype = named.partition("/")
            if clause.type in (kind, "*") and clause.subtype in (subtype, "*"):
                return media_type
    return ""


def of_discovery(accept: str, *, routed: bool) -> tuple[Media, str]:
    """The media of /api and /apis, and the version of the one document, empty for none."""

    def allowed(media_type: str, target: Target | None) -> Media | None:
        if target is None:
            return Media(media_type)
        group, version, kind = target
        served = group == "apidiscovery.k8s.io" and kind == "APIGroupDiscoveryList"
        return Media(media_type, version=version) if served and version in _DISCOVERED else None

    media = _negotiated(accept, allowed)
    if media is None:
        if routed:
            _require_route(accept, ALL_TYPES)
        raise not_acceptable(ALL_TYPES)
    return media, media.version if media.version in _DISCOVERED else ""


_DISCOVERED = ("v2", "v2beta1")


def content_type(header: str) -> str:
    """The type in a Content-Type header; what is wrong there is no type that anybody knows.

    https://pkg.go.dev/mime#ParseMediaType
    """
    return found[1].lower() if (found := _CONTENT_TYPE.fullmatch(header)) else "/"


_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_CONTENT_TYPE = re.compile(
    rf"""\s*((?:{_TOKEN}(?:/{_TOKEN})?)?)\s*(?:;\s*{_TOKEN}=(?:{_TOKEN}|"[^"]*")\s*)*;?\s*"""
)


def not_acceptable(types: Sequence[str]) -> APIError:
    """406 of a route that could be asked for otherwise."""
    text = f"only the following media types are accepted: {', '.join(types)}"
    return APIError(406, "NotAcceptable", text)


def wrong_form(form: Form, listed: bool, go_type: str) -> APIError:
    """406 for metadata of one object where a list is, or the other way round."""
    kind = "PartialObjectMetadata" if form is Form.METADATA else "PartialObjectMetadataList"
    what = "a list" if listed else "not a list"
    text = f"you requested {kind}, but the requested object is {what} ({go_type})"
    return APIError(406, "NotAcceptable", text)


def _require_route(accept: str, types: Sequence[str]) -> None:
    """406 as routes are chosen: a type must be named, or `*/*`; ranges and parameters count not.

    https://github.com/emicklei/go-restful/blob/v3.12.2/route.go
    """
    named = [part.partition(";")[0].strip(" ") for part in accept.split(",")] if accept else []
    if not named or any(each == "*/*" or each in types for each in named):
        return
    text = f"406: Not Acceptable\n\nAvailable representations: {', '.join(types)}"
    raise APIError(406, "NotAcceptable", text, {})


def _negotiated(accept: str, allowed: Allowed) -> Media | None:
    if not accept:
        return allowed(JSON_TYPE, None)
    for clause in _clauses(accept):
        for media_type in ALL_TYPES:
            wanted = (clause.type, clause.subtype)
            kind, _, subtype = media_type.partition("/")
            if wanted not in ((kind, subtype), (kind, "*"), ("*", "*")):
                continue
            media = _with_parameters(clause, media_type, allowed)
            if media is not None:
                return media
    return None


def _with_parameters(clause: _Clause, media_type: str, allowed: Allowed) -> Media | None:
    parameters = clause.parameters
    stream = parameters.get("stream", "")
    if stream and (stream != "watch" or media_type not in _STREAMED):
        return None
    if parameters.get("sv", "") not in ("", "v1"):
        return None
    asked = [parameters.get(name) for name in ("g", "v", "as")]
    target = None if asked == [None] * 3 else tuple(each or "" for each in asked)
    media = allowed(media_type, target)  # type: ignore[arg-type]
    if media is None or parameters.get("pretty") != "1":
        return media
    return Media(media.type, media.form, media.version, pretty=True)


def _clauses(accept: str) -> list[_Clause]:
    """The parts of an Accept header, the most wanted one first.

    https://github.com/munnerz/goautoneg/blob/master/accept.go
    """
    found = []
    for part in accept.split(","):
        media_range, *written = part.strip().split(";")
        kind, *rest = media_range.split("/")
        kind = kind.strip()
        if not rest and kind == "*":
            rest = ["*"]
        if len(rest) != 1:
            continue
        parameters, quality = {}, 1.0
        for each in written:
            name, *values = each.split("=")
            if len(values) != 1 or not values[0]:
                continue
            if name.strip() == "q":
                quality = _quality(values[0])
            else:
                parameters[name.strip()] = values[0].strip()
        found.append(_Clause(kind, rest[0].strip(), parameters, quality))
    return sorted(found, key=lambda c: (-c.quality, c.type == "*", c.subtype == "*"))


def _quality(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if found == found else 0.0
