"""What a write to a resource or to a subresource cannot change, and so nobody owns by it.

https://pkg.go.dev/k8s.io/apiserver/pkg/registry/rest#ResetFieldsStrategy
"""

from collections.abc import Mapping

from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.kubernetes.version import Version

_SPEC: FieldSet = {"f:spec": {}}
_STATUS: FieldSet = {"f:status": {}}
_ALL_BUT_STATUS: FieldSet = {"f:metadata": {}, "f:spec": {}}
_NONE: FieldSet = {}

_STATUS_WRITES: Mapping[str, FieldSet] = {
    "apiservices": _ALL_BUT_STATUS,
    "certificatesigningrequests": {"f:spec": {}, "f:status": {"f:conditions": {}}},
    "customresourcedefinitions": _ALL_BUT_STATUS,
    "deployments": {"f:metadata": {"f:labels": {}}, "f:spec": {}},
    "flowschemas": _ALL_BUT_STATUS,
    "pods": {
        "f:metadata": {"f:deletionTimestamp": {}, "f:ownerReferences": {}},
        "f:spec": {},
    },
    "prioritylevelconfigurations": _ALL_BUT_STATUS,
    "servicecidrs": _NONE,
    "validatingadmissionpolicies": _ALL_BUT_STATUS,
    "volumeattachments": _ALL_BUT_STATUS,
}
_MAIN_WRITES: Mapping[str, FieldSet] = {
    "certificatesigningrequests": {"f:spec": {}, "f:status": {}},
    "servicecidrs": _NONE,
}


def reset_fields(resource: Resource, subresource: str, version: Version) -> FieldSet:
    """The fields that are left out of what a write owns."""
    if "status" not in resource.subresources:
        return _NONE
    special = not resource.custom
    if subresource == "status":
        if special:
            return _STATUS_WRITES.get(resource.plural, _SPEC)
        return _ALL_BUT_STATUS if version.minor >= 37 else _SPEC
    if subresource == "approval":
        return {"f:spec": {}, "f:status": {"f:certificate": {}}}
    return _MAIN_WRITES.get(resource.plural, _STATUS) if special else _STATUS
