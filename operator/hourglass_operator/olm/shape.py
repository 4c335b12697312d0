"""The types that the rules of `checks` take for granted.

A shape is `str`, `[shape]` for a list, or a mapping with the shapes of some of its fields. Fields
may be absent, and lists and mappings null.
"""

from collections.abc import Iterator
from typing import Any

Shape = Any

_GRANTS: Shape = [{"rules": [{"apiGroups": [str], "resources": [str], "verbs": [str]}]}]
_OWNED: Shape = {
    "name": str,
    "kind": str,
    "resources": [{}],
    "specDescriptors": [{"path": str}],
    "statusDescriptors": [{"path": str}],
}
_PART: Shape = {"properties": {}}
_SCHEMA: Shape = {"openAPIV3Schema": {"properties": {"spec": _PART, "status": _PART}}}

CSV: Shape = {
    "metadata": {"name": str, "labels": {}, "annotations": {"alm-examples": str}},
    "spec": {
        "maintainers": [{}],
        "relatedImages": [{}],
        "links": [{}],
        "icon": [{"base64data": str}],
        "installModes": [{}],
        "customresourcedefinitions": {"owned": [_OWNED]},
        "install": {
            "spec": {
                "clusterPermissions": _GRANTS,
                "permissions": _GRANTS,
                "deployments": [{"spec": {"template": {"spec": {"containers": [{}]}}}}],
            }
        },
    },
}
OBJECT: Shape = {"kind": str, "metadata": {"name": str}, "spec": {}}
CRD: Shape = {"metadata": {"name": str}, "spec": {"versions": [{"name": str, "schema": _SCHEMA}]}}
ANNOTATIONS: Shape = {"annotations": {}}
SCORECARD: Shape = {"stages": [{"tests": [{}]}]}
CATALOG: Shape = {
    "schema": str,
    "name": str,
    "entries": [{"name": str, "replaces": str}],
    "properties": [{"type": str}],
}


def type_errors(found: Any, shape: Shape, field: str = "") -> Iterator[str]:
    """Each field that is of another type, with the type that is expected and what was found."""
    if isinstance(shape, list) and isinstance(found, list):
        for index, item in enumerate(found):
            yield from type_errors(item, shape[0], f"{field}[{index}]")
    elif isinstance(shape, dict) and isinstance(found, dict):
        for key in found:
            if not isinstance(key, str):
                yield f"{field or 'the keys'}: texts are expected as keys, found {key!r:.80}"
        for key, part in shape.items():
            if key in found and not (found[key] is None and part is not str):
                yield from type_errors(found[key], part, f"{field}.{key}".removeprefix("."))
    elif shape is not str or not isinstance(found, str):
        expected = (
            "a text" if shape is str else "a list" if isinstance(shape, list) else "a mapping"
        )
        yield f"{field}: {expected} is expected, found {found!r:.80}"
