"""JSON merge, strategic merge and JSON patches; nothing is changed in place.

A merge patch that changes nothing returns the very object it was given.
"""

from typing import Any

import jsonpatch
import jsonpointer

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import strategic
from hourglass_simulator.apiserver.errors import (
    bad_request,
    patch_does_not_apply,
    unsupported_media_type,
)
from hourglass_simulator.apiserver.resources import Resource

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def require_supported(content_type: str, resource: Resource) -> None:
    """415 for a patch that the resource does not take; server-side apply is not simulated."""
    known = content_type in (MERGE, JSON_PATCH, STRATEGIC)
    if not known or (resource.custom and content_type == STRATEGIC):
        raise unsupported_media_type(resource)


def apply(obj: JSON, patch: Any, content_type: str) -> JSON:
    """The patched object; 400 or 422 when the patch cannot be applied."""
    if content_type == JSON_PATCH:
        return json_patch(obj, patch)
    merged: JSON = (merge_patch if content_type == MERGE else strategic.merge)(obj, patch)
    return merged


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386, sharing what stays as it is."""
    if not isinstance(patch, dict):
        return target if target == patch and type(target) is type(patch) else patch
    base = target if isinstance(target, dict) else {}
    changed: JSON = {}
    removed = []
    for key, value in patch.items():
        if value is None:
            if key in base:
                removed.append(key)
            continue
        merged = merge_patch(base.get(key), value)
        if key not in base or merged is not base[key]:
            changed[key] = merged
    if isinstance(target, dict) and not changed and not removed:
        return target
    result = {**base, **changed}
    for key in removed:
        del result[key]
    return result


def json_patch(target: JSON, patch: Any) -> JSON:
    """RFC 6902, but as on the real server a replacement may also add a member."""
    if not isinstance(patch, list):
        kind = "object" if isinstance(patch, dict) else type(patch).__name__
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {kind} into Go value of type "
            "[]handlers.jsonPatchOp"
        )
    try:
        for operation in patch:
            lenient = _adds(target, operation)
            target = jsonpatch.JsonPatch([lenient]).apply(target)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException):
        raise patch_does_not_apply() from None
    return target


def _adds(target: JSON, operation: Any) -> Any:
    """The operation, or an add for a replace of a member that is not there."""
    if not isinstance(operation, dict) or operation.get("op") != "replace":
        return operation
    parent, _, _ = str(operation.get("path", "")).rpartition("/")
    found = jsonpointer.resolve_pointer(target, parent, None)
    return {**operation, "op": "add"} if isinstance(found, dict) else operation
