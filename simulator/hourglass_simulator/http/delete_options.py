"""The options of a deletion, in its body or its query.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.codec import Codec
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError, not_supported
from hourglass_simulator.http import list_options

_META = "k8s.io/apimachinery/pkg/apis/meta/v1"
TYPES: dict[str, Any] = {
    f"{_META}.DeleteOptions": {
        "kind": {"type": "string", "omit": "empty"},
        "apiVersion": {"type": "string", "omit": "empty"},
        "gracePeriodSeconds": {"type": "*int64", "omit": "empty"},
        "preconditions": {"type": f"*{_META}.Preconditions", "omit": "empty"},
        "orphanDependents": {"type": "*bool", "omit": "empty"},
        "propagationPolicy": {"type": f"*{_META}.DeletionPropagation", "omit": "empty"},
        "dryRun": {"type": "[]string", "omit": "empty"},
    },
    f"{_META}.Preconditions": {
        "uid": {"type": "*k8s.io/apimachinery/pkg/types.UID", "omit": "empty"},
        "resourceVersion": {"type": "*string", "omit": "empty"},
    },
    f"{_META}.DeletionPropagation": "string",
    "k8s.io/apimachinery/pkg/types.UID": "string",
}
"""Of the Go types, which are not recorded."""
_CODEC = Codec(TYPES)
_POLICIES = ("Foreground", "Background", "Orphan", "nil")


class DeleteOptions(NamedTuple):
    """What is asked for, as `APIServer.delete` takes it."""

    grace_period_seconds: int | None
    propagation_policy: str | None
    uid: str | None
    resource_version: str | None


def read(body: JSON | None, query: Mapping[str, str]) -> DeleteOptions:
    """The options; 400 for what cannot be read, 422 for what makes no sense."""
    found = _of_query(query) if not body else _of_body(body)
    orphan, policy = found.get("orphanDependents"), found.get("propagationPolicy")
    faults = []
    if orphan is not None and policy is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        faults.append(FieldError(ErrorType.INVALID, "propagationPolicy", policy, why))
    if policy is not None and policy not in _POLICIES[:-1]:
        faults.append(not_supported("propagationPolicy", policy, _POLICIES))
    dry = found.get("dryRun") or []
    if any(each != "All" for each in dry):
        faults.append(not_supported("dryRun", dry, ("All",)))
    if faults:
        raise errors.invalid(Resource("", "DeleteOptions", "meta.k8s.io"), "", faults)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    preconditions = found.get("preconditions") or {}
    return DeleteOptions(
        found.get("gracePeriodSeconds"),
        policy,
        preconditions.get("uid"),
        preconditions.get("resourceVersion"),
    )


def _of_body(body: JSON) -> JSON:
    try:
        found = _CODEC.decode(f"{_META}.DeleteOptions", body).obj
    except ValueError as error:
        raise errors.bad_request(str(error)) from None
    kind = found.get("kind", "DeleteOptions")
    if kind != "DeleteOptions":
        version = found.get("apiVersion", "meta.k8s.io/v1")
        where = f'for version "{version}" in scheme "pkg/runtime/scheme.go:110"'
        raise errors.bad_request(f'no kind "{kind}" is registered {where}')
    return found


def _of_query(query: Mapping[str, str]) -> JSON:
    found: JSON = {}
    if "gracePeriodSeconds" in query:
        found["gracePeriodSeconds"] = list_options.integer(query, "gracePeriodSeconds")
    if "propagationPolicy" in query:
        found["propagationPolicy"] = query["propagationPolicy"]
    if "orphanDependents" in query:
        found["orphanDependents"] = list_options.flag(query, "orphanDependents")
    if "dryRun" in query:
        found["dryRun"] = [query["dryRun"]]
    return found
