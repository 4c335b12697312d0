"""Bodies that do not fit the Go type of their kind, which is found before anything else of them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.codec import Codec
from hourglass_simulator.apiserver.decoding import codec
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.http.delete_options import TYPES as OF_DELETE_OPTIONS
from hourglass_simulator.kubernetes.version import Version

SUBRESOURCES = {
    "binding": ("v1", "Binding"),
    "eviction": ("policy/v1", "Eviction"),
    "scale": ("autoscaling/v1", "Scale"),
    "token": ("authentication.k8s.io/v1", "TokenRequest"),
}
"""What is sent to a subresource that is of another kind than its resource."""
_META = "k8s.io/apimachinery/pkg/apis/meta/v1"
_OBJECT_META = f"{_META}.ObjectMeta"
_TOKEN, _POLICY, _SCALE = (
    f"k8s.io/api/{p}/v1" for p in ("authentication", "policy", "autoscaling")
)
_OBJECT = {
    "kind": {"type": "string"},
    "apiVersion": {"type": "string"},
    "metadata": {"type": _OBJECT_META},
}
_TYPES: Mapping[str, Any] = {
    **OF_DELETE_OPTIONS,
    f"{_POLICY}.Eviction": {**_OBJECT, "deleteOptions": {"type": f"*{_META}.DeleteOptions"}},
    f"{_TOKEN}.TokenRequest": {**_OBJECT, "spec": {"type": f"{_TOKEN}.TokenRequestSpec"}},
    f"{_TOKEN}.TokenRequestSpec": {
        "audiences": {"type": "[]string"},
        "expirationSeconds": {"type": "*int64"},
        "boundObjectRef": {"type": f"*{_TOKEN}.BoundObjectReference"},
    },
    f"{_TOKEN}.BoundObjectReference": {
        name: {"type": "string"} for name in ("kind", "apiVersion", "name", "uid")
    },
    f"{_SCALE}.Scale": {**_OBJECT, "spec": {"type": f"{_SCALE}.ScaleSpec"}},
    f"{_SCALE}.ScaleSpec": {"replicas": {"type": "int32"}},
}
"""Of the kinds of subresources, which are not recorded."""
_OF_SUBRESOURCES = {
    "Binding": "k8s.io/api/core/v1.Binding",
    "Eviction": f"{_POLICY}.Eviction",
    "Scale": f"{_SCALE}.Scale",
    "TokenRequest": f"{_TOKEN}.TokenRequest",
}


def check(body: JSON, resource: Resource, subresource: str, name: str, version: Version) -> None:
    """400 for a body whose values do not fit its kind.

    What a resource stores is decoded again when it is stored; here it is only if its metadata are
    read before that and are none, or if they are not those of `name` (empty: of a new object).
    """
    kind = SUBRESOURCES.get(subresource)
    if kind is not None:
        named = (body.get("apiVersion") or kind[0], body.get("kind") or kind[1])
        why = mismatch(body, kind[1], version) if named == kind else ""
        if why:
            raise errors.undecodable(Resource("", kind[1]), why)
        return
    meta = body.get("metadata")
    if _is_metadata(meta) and (not name or (meta or {}).get("name") == name):
        return
    api_version, kind_name = resource.api_version, resource.kind
    if resource.custom:
        if meta is not None:
            _decode(codec(version), _OBJECT_META, meta, api_version, kind_name, kind_name)
        return
    api_version = body.get("apiVersion") or api_version
    kind_name = body.get("kind") or kind_name
    base = "apis" if "/" in str(api_version) else "api"
    go_type = version.kinds.get(f"{base}/{api_version}/{kind_name}")
    if go_type is not None and go_type in version.types:
        _decode(codec(version), go_type, body, api_version, kind_name, resource.kind)


def mismatch(body: JSON, kind: str, version: Version) -> str:
    """What does not fit the kind of a subresource, in Go's words; empty if all does."""
    try:
        _codec(version).decode(_OF_SUBRESOURCES[kind], body)
    except ValueError as error:
        return str(error)
    return ""


def _is_metadata(value: Any) -> bool:
    """Whether it has the fields that say which object it is."""
    if value is None:
        return True
    return isinstance(value, dict) and all(
        isinstance(value.get(field) or "", str) and value.get(field) not in (False, 0)
        for field in ("name", "namespace", "generateName", "resourceVersion", "uid")
    )


def _decode(
    codec: Codec, go_type: str, value: Any, api_version: str, kind: str, wanted: str
) -> None:
    try:
        codec.decode(go_type, value)
    except ValueError as error:
        short = api_version.rpartition("/")[2]
        raise errors.undecodable(Resource("", wanted), str(error), kind, short) from None


@cache
def _codec(version: Version) -> Codec:
    return Codec({**_TYPES, **version.types})
