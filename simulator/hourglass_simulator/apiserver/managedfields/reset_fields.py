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
    "devicetaintrules": _ALL_BUT_STATUS,
    "flowschemas": _ALL_BUT_STATUS,
    "podcertificaterequests": _ALL_BUT_STATUS,
    "pods": {
        "f:metadata": {"f:deletionTimestamp": {}, "f:ownerReferences": {}},
        "f:spec": {},
    },
    "prioritylevelconfigurations": _ALL_BUT_STATUS,
    "servicecidrs": _NONE,
    "storageversionmigrations": _ALL_BUT_STATUS,
    "validatingadmissionpolicies": _ALL_BUT_STATUS,
    "volumeattachments": _ALL_BUT_STATUS,
}
_STATUS_WRITES_SINCE_1_37: Mapping[str, FieldSet] = {"resourceclaims": _ALL_BUT_STATUS}
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
        is_old = version.minor < 37
        if not special:
            return _SPEC if is_old else _ALL_BUT_STATUS
        newer = {} if is_old else _STATUS_WRITES_SINCE_1_37
        return {**_STATUS_WRITES, **newer}.get(resource.plural, _SPEC)
    if subresource == "approval":
        return {"f:spec": {}, "f:status": {"f:certificate": {}}}
    return _MAIN_WRITES.get(resource.plural, _STATUS) if special else _STATUS
