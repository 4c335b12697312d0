"""JSON merge, strategic merge and JSON patches; nothing is changed in place.

A patch that changes nothing returns the very object it was given.
"""

from collections.abc import Mapping
from typing import Any

import jsonpatch

from hourglass_simulator.apiserver.errors import APIError, bad_request, unsupported_media_type
from hourglass_simulator.apiserver.resources import Resource

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
APPLY_CBOR = "application/apply-patch+cbor"
APPLY = "application/apply-patch+yaml"

MERGE_KEYS: Mapping[str, str] = {
    "conditions": "type",
    "containers": "name",
    "containerStatuses": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "ports": "port",
    "containers.ports": "containerPort",
    "taints": "key",
    "addresses": "type",
    "volumes": "name",
    "volumeMounts": "mountPath",
}
"""patchMergeKey of the lists that strategic merge patches merge, by field; others are atomic."""

_SETS = {"finalizers"}
_DIRECTIVE = "$patch"
_DELETE_PRIMITIVES = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386, sharing what stays as it is."""
    if not isinstance(patch, dict):
        return target if target == patch else patch
    base = target if isinstance(target, dict) else {}
    changed: dict[str, Any] = {}
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
    return {key: value for key, value in {**base, **changed}.items() if key not in removed}


def strategic_merge(target: Any, patch: Any, field: str = "", parent: str = "") -> Any:
    """A strategic merge patch as of the core types.

    https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
    """
    if isinstance(patch, dict):
        return _merge_map(target if isinstance(target, dict) else {}, patch, field)
    if isinstance(patch, list):
        return _merge_list(target if isinstance(target, list) else [], patch, field, parent)
    return patch


def _merge_map(target: dict[str, Any], patch: dict[str, Any], field: str) -> dict[str, Any]:
    if patch.get(_DIRECTIVE) == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    result = dict(target)
    for key, value in patch.items():
        if key.startswith(_ORDER) or key == _DIRECTIVE:
            continue
        if key.startswith(_DELETE_PRIMITIVES):
            name = key.removeprefix(_DELETE_PRIMITIVES)
            result[name] = [item for item in result.get(name) or () if item not in value]
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = strategic_merge(result.get(key), value, key, field)
    return target if result == target else result


def _merge_list(target: list[Any], patch: list[Any], field: str, parent: str) -> list[Any]:
    if field in _SETS:
        return [*target, *(item for item in patch if item not in target)]
    merge_key = MERGE_KEYS.get(f"{parent}.{field}") or MERGE_KEYS.get(field)
    if merge_key is None or any(not isinstance(item, dict) for item in patch):
        return patch
    if any(item.get(_DIRECTIVE) == "replace" for item in patch):
        return [item for item in patch if _DIRECTIVE not in item]
    result = list(target)
    for item in patch:
        index = next((i for i, t in enumerate(result) if t.get(merge_key) == item[merge_key]), None)
        if item.get(_DIRECTIVE) == "delete":
            if index is not None:
                del result[index]
        elif index is None:
            result.append(item)
        else:
            result[index] = _merge_map(result[index], item, field)
    return result


def json_patch(target: dict[str, Any], patch: Any) -> Any:
    """RFC 6902; raises APIError 422 when an operation does not apply, 400 when it is none."""
    try:
        return jsonpatch.JsonPatch(patch).apply(target)
    except jsonpatch.JsonPatchTestFailed as error:
        raise APIError(
            422,
            "Invalid",
            f"the server rejected our request due to an error in our request: {error}",
        ) from None
    except jsonpatch.JsonPatchConflict as error:
        raise APIError(
            422,
            "Invalid",
            f"the server rejected our request due to an error in our request: {error}",
        ) from None
    except jsonpatch.JsonPatchException as error:
        raise bad_request(str(error)) from None


_ACCEPTED = (JSON_PATCH, MERGE, STRATEGIC, APPLY, APPLY_CBOR)


def require_supported(content_type: str, resource: Resource) -> None:
    """415 for a patch that the resource does not take."""
    accepted = [kind for kind in _ACCEPTED if kind != STRATEGIC or not resource.custom]
    if content_type not in accepted or content_type in (APPLY, APPLY_CBOR):
        raise unsupported_media_type(accepted)


def apply(obj: dict[str, Any], patch: Any, content_type: str) -> dict[str, Any]:
    """The patched object; 400 or 422 when the patch cannot be applied."""
    if content_type == JSON_PATCH:
        result: dict[str, Any] = json_patch(obj, patch)
        return result
    merge = merge_patch if content_type == MERGE else strategic_merge
    merged: dict[str, Any] = merge(obj, patch)
    return merged
