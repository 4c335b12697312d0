"""JSON merge, strategic merge and JSON patches; nothing is changed in place."""

from typing import Any

from hourglass_kube.mergepatch import merge_patch
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import json_patch, strategic
from hourglass_simulator.apiserver.errors import unsupported_media_type
from hourglass_simulator.apiserver.go_values import Repeated
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.kubernetes.version import DEFAULT, Version

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def require_supported(content_type: str, resource: Resource) -> None:
    """415 for a patch that the resource does not take."""
    known = content_type in (MERGE, JSON_PATCH, STRATEGIC)
    if not known or (resource.custom and content_type == STRATEGIC):
        raise unsupported_media_type(resource)


def apply(obj: JSON, patch: Any, content_type: str, version: Version = DEFAULT) -> JSON:
    """The patched object; 400, 422 or, as on the real server, 500 when it cannot be applied."""
    if content_type == JSON_PATCH:
        return json_patch.apply(obj, patch)
    if content_type == MERGE:
        merged: JSON = merge_patch(obj, patch)
        return merged
    return strategic.merge(obj, patch, strategic.meta_of(version, obj))


def strange_fields(patch: Any, content_type: str) -> list[str]:
    """What strict decoding says of a patch itself."""
    return json_patch.strange_fields(patch) if content_type == JSON_PATCH else _repeated(patch, "")


def _repeated(value: Any, path: str) -> list[str]:
    if isinstance(value, list):
        return [s for i, item in enumerate(value) for s in _repeated(item, f"{path}[{i}]")]
    if not isinstance(value, dict):
        return []
    at = f"{path}." if path else ""
    names = value.repeated if isinstance(value, Repeated) else ()
    found = [f'duplicate field "{at}{name}"' for name in names]
    return found + [s for name, each in value.items() for s in _repeated(each, f"{at}{name}")]
