"""ConfigMaps, Secrets and ServiceAccounts.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

import base64
import json
from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import names, object_meta
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    each,
    forbidden,
    immutable,
    invalid,
    required,
    too_long,
)

_LARGEST = 1024 * 1024
_FIXED = "field is immutable when `immutable` is set"
_ACCOUNT = "kubernetes.io/service-account.name"
_ENFORCED = "kubernetes.io/enforce-mountable-secrets"
_DOCKER = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}


def config_map_created(found: JSON) -> Faults:
    """What is wrong with a new ConfigMap."""
    yield from object_meta.created("configmaps", found["metadata"])
    text, octets = found.get("data") or {}, found.get("binaryData") or {}
    for key in sorted(text):
        yield from each(f"data[{key}]", key, names.config_key(key))
        if key in octets:
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in sorted(octets):
        yield from each(f"binaryData[{key}]", key, names.config_key(key))
    size = sum(len(value.encode()) for value in text.values())
    if size + sum(map(_length, octets.values())) > _LARGEST:
        yield too_long("[]", _LARGEST)


def _length(encoded: str) -> int:
    """Components of the simulator store secrets that nobody has decoded."""
    return len(encoded.rstrip("=")) * 3 // 4


def config_map_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ConfigMap."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "configmaps")
    yield from _fixed(new, old, "data", "binaryData")
    yield from config_map_created(new)


def _fixed(new: JSON, old: JSON, *fields: str) -> Faults:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", _FIXED)
    for field in fields:
        if (new.get(field) or {}) != (old.get(field) or {}):
            yield forbidden(field, _FIXED)


def secret_created(found: JSON) -> Faults:
    """What is wrong with a new Secret; what is in it is in no error."""
    yield from object_meta.created("secrets", found["metadata"])
    data, kind = found.get("data") or {}, found.get("type") or ""
    for key in sorted(data):
        yield from each(f"data[{key}]", key, names.config_key(key))
    if sum(map(_length, data.values())) > _LARGEST:
        yield too_long("data", _LARGEST)
    if kind == "kubernetes.io/service-account-token":
        if not (found["metadata"].get("annotations") or {}).get(_ACCOUNT):
            yield required(f"metadata.annotations[{_ACCOUNT}]")
    elif kind in _DOCKER:
        yield from _docker(_DOCKER[kind], data)
    elif kind == "kubernetes.io/basic-auth":
        if not {"username", "password"} & data.keys():
            yield required("data[username]")
            yield required("data[password]")
    elif kind == "kubernetes.io/ssh-auth":
        if not data.get("ssh-privatekey"):
            yield required("data[ssh-privatekey]")
    elif kind == "kubernetes.io/tls":
        for key in ("tls.crt", "tls.key"):
            if key not in data:
                yield required(f"data[{key}]")


def _docker(key: str, data: JSON) -> Faults:
    if key not in data:
        yield required(f"data[{key}]")
        return
    try:
        content = json.loads(base64.b64decode(data[key]))
    except ValueError:
        content = ""
    if not isinstance(content, dict):
        wrong = _go_error(base64.b64decode(data[key]), content)
        yield invalid(f"data[{key}]", "<secret contents redacted>", wrong)


def _go_error(text: bytes, content: object) -> str:
    """What Go says of JSON that is no object."""
    if not text:
        return "unexpected end of JSON input"
    kinds = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    if content != "":
        kind = kinds[type(content)]
        return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    return f"invalid character {chr(text[0])!r} looking for beginning of value"


def secret_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed Secret."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "secrets")
    yield from immutable("type", new.get("type"), old.get("type"))
    yield from _fixed(new, old, "data")
    yield from secret_created(new)


def secret_warnings(found: JSON) -> Iterator[str]:
    """What is said of a certificate that is none."""
    data = found.get("data") or {}
    if found.get("type") != "kubernetes.io/tls":
        return
    if b"-----BEGIN" not in base64.b64decode(data.get("tls.crt") or ""):
        yield "tls: failed to find any PEM data in certificate input"
    elif b"-----BEGIN" not in base64.b64decode(data.get("tls.key") or ""):
        yield "tls: failed to find any PEM data in key input"


def account_created(found: JSON) -> Faults:
    """What is wrong with a new ServiceAccount."""
    yield from object_meta.created("serviceaccounts", found["metadata"])


def account_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ServiceAccount."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "serviceaccounts")
    yield from account_created(new)


def account_warnings(new: JSON, old: JSON | None) -> Iterator[str]:
    """What is deprecated in a ServiceAccount."""
    before = ((old or {}).get("metadata") or {}).get("annotations") or {}
    if _ENFORCED in (new["metadata"].get("annotations") or {}) and _ENFORCED not in before:
        yield (
            f"metadata.annotations[{_ENFORCED}]: deprecated in v1.32+; prefer separate namespaces"
            " to isolate access to mounted secrets"
        )
