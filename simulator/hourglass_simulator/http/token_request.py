"""A create of serviceaccounts/token: a token is issued.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/serviceaccount/storage/token.go
"""

from datetime import UTC, datetime

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, errors
from hourglass_simulator.apiserver.account_tokens import ISSUER
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError, quoted

_RESOURCE = Resource("TokenRequest", "TokenRequest", "authentication.k8s.io")
_SHORTEST, _LONGEST, _USUAL = 600, 2**32, 3600
_BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


def answer(api: APIServer, namespace: str, name: str, request: JSON, user: str) -> JSON:
    """The request with its token."""
    version, kind = request.get("apiVersion"), request.get("kind")
    if kind not in (None, _RESOURCE.kind) or version not in (None, _RESOURCE.api_version):
        kind, version = kind or _RESOURCE.kind, version or _RESOURCE.api_version
        why = f'no kind "{kind}" is registered for version "{version}" in scheme '
        why += f'"{api.version.texts.scheme}"'
        raise errors.undecodable(_RESOURCE, why, kind, str(version).rpartition("/")[2])
    meta, spec = _fields(request, "metadata"), _fields(request, "spec")
    if (meta.get("namespace") or namespace) != namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if (meta.get("name") or name) != name:
        why = "must match the service account name if specified"
        fault = FieldError(ErrorType.INVALID, "metadata.name", meta["name"], why)
        raise errors.invalid(_RESOURCE, name, [fault])
    account = api.get("serviceaccounts", namespace, name, user=user)
    uid = account["metadata"]["uid"]
    if (meta.get("uid") or uid) != uid:
        why = f"the UID in the token request ({meta['uid']}) does not match the UID of the service"
        raise errors.conflict(_RESOURCE, name, f"{why} account ({uid})")
    seconds = spec.get("expirationSeconds")
    seconds = _USUAL if seconds is None else seconds
    _validate_duration(seconds)
    bound = _bound(api, namespace, name, spec.get("boundObjectRef"))
    audiences = spec.get("audiences") or [ISSUER]
    token = api.issue_token(account, seconds, audiences, bound)
    expires = datetime.fromtimestamp(int(api.clock.unix_time) + seconds, UTC)
    return {
        "kind": _RESOURCE.kind,
        "apiVersion": _RESOURCE.api_version,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid,
            "creationTimestamp": api.clock.timestamp(),
        },
        "spec": {
            "audiences": audiences,
            "expirationSeconds": seconds,
            "boundObjectRef": spec.get("boundObjectRef"),
        },
        "status": {"token": token, "expirationTimestamp": f"{expires:%Y-%m-%dT%H:%M:%SZ}"},
    }


def _fields(request: JSON, part: str) -> JSON:
    return {name: value for name, value in (request.get(part) or {}).items() if value is not None}


def _validate_duration(seconds: int) -> None:
    why = "less than 10 minutes" if seconds < _SHORTEST else ""
    why = "larger than 2^32 seconds" if seconds > _LONGEST else why
    if why:
        text = f"may not specify a duration {why}"
        fault = FieldError(ErrorType.INVALID, "spec.expirationSeconds", seconds, text)
        raise errors.invalid(_RESOURCE, "", [fault])


def _bound(api: APIServer, namespace: str, account: str, reference: JSON | None) -> JSON | None:
    """The object that a token is bound to."""
    if reference is None:
        return None
    kind = str(reference.get("kind", ""))
    group, _, version = str(reference.get("apiVersion", "")).rpartition("/")
    if group or kind not in _BOUND:
        why = f"cannot bind token to object of type {group}/{version}, Kind={kind}"
        raise errors.bad_request(why)
    name = str(reference.get("name", ""))
    found = api.get(_BOUND[kind], "" if kind == "Node" else namespace, name)
    if kind == "Pod" and found["spec"].get("serviceAccountName") != account:
        why = f"cannot bind token for serviceaccount {quoted(account)} to pod running with"
        raise errors.bad_request(f"{why} different serviceaccount name.")
    uid = found["metadata"]["uid"]
    if reference.get("uid") not in (None, "", uid):
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID"
        why += " in record. The object might have been deleted and then recreated"
        raise errors.conflict(Resource(kind, kind), name, why)
    return found
