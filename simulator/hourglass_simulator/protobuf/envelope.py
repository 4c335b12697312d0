"""Objects as they are sent: a magic number and a runtime.Unknown around the message of the kind.

https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
"""

import struct
from typing import NamedTuple

from google.protobuf.message import Message

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import DEFAULT, Version
from hourglass_simulator.protobuf import wire
from hourglass_simulator.protobuf.descriptors import descriptors
from hourglass_simulator.protobuf.messages import messages

MAGIC = b"k8s\0"
_UNKNOWN = "k8s.io.apimachinery.pkg.runtime.Unknown"
WATCH_EVENT = "k8s.io.apimachinery.pkg.apis.meta.v1.WatchEvent"


class NotAnEnvelopeError(ValueError):
    """Bytes of which not even the kind can be read, with Go's text."""


class Envelope(NamedTuple):
    """What is known of a body before it is decoded; `api_version` and `kind` may be empty."""

    api_version: str
    kind: str
    raw: bytes


def encode(version: Version, obj: JSON) -> bytes:
    """An object with its kind; LookupError when the kind has no message."""
    api_version, kind = obj.get("apiVersion", ""), obj["kind"]
    message = descriptors(version).of_kind(api_version, kind)
    if message is None:
        raise LookupError(f"{api_version} {kind}")
    messages(version).fill(message, obj)
    unknown = descriptors(version).message(_UNKNOWN)
    unknown.typeMeta.apiVersion, unknown.typeMeta.kind = api_version, kind
    unknown.contentEncoding = unknown.contentType = ""
    unknown.raw = _bytes(message)
    return MAGIC + _bytes(unknown)


def frame(version: Version, event_type: str, obj: JSON) -> bytes:
    """An event of a watch, after its length."""
    event = descriptors(version).message(WATCH_EVENT)
    event.type = event_type
    event.object.raw = encode(version, obj)
    content = _bytes(event)
    return struct.pack(">I", len(content)) + content


def opened(data: bytes) -> Envelope:
    """The envelope of a body; NotAnEnvelopeError where it is none."""
    if not data:
        raise NotAnEnvelopeError("empty data")
    if not data.startswith(MAGIC):
        raise NotAnEnvelopeError(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    if len(data) == len(MAGIC):
        raise NotAnEnvelopeError("empty body")
    # It is the same in all versions.
    unknown = descriptors(DEFAULT).message(_UNKNOWN)
    try:
        unknown.MergeFromString(wire.canonical(unknown.DESCRIPTOR, data[len(MAGIC) :]))
    except wire.WireError as error:
        raise NotAnEnvelopeError(str(error)) from None
    try:
        return Envelope(unknown.typeMeta.apiVersion, unknown.typeMeta.kind, unknown.raw)
    except UnicodeDecodeError:
        raise NotAnEnvelopeError("the kind is no text in UTF-8") from None


def decode(version: Version, envelope: Envelope) -> JSON | None:
    """The object in an envelope; None when there is no message of its kind.

    ValueError, with Go's text, when the bytes are not such a message.
    """
    message = descriptors(version).of_kind(envelope.api_version, envelope.kind)
    if message is None:
        return None
    message.MergeFromString(wire.canonical(message.DESCRIPTOR, envelope.raw))
    found = messages(version).read(message)
    return {"apiVersion": envelope.api_version, "kind": envelope.kind, **found}


def _bytes(message: Message) -> bytes:
    # Go's generated code writes maps in the order of their keys.
    content: bytes = message.SerializeToString(deterministic=True)
    return content
