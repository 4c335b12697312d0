"""Strategic merge patches of the core types.

https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from collections.abc import Mapping
from typing import Any

MERGE_KEYS: Mapping[str, str] = {
    "containers.env": "name",
    "containers.ports": "containerPort",
    "containers.volumeDevices": "devicePath",
    "containers.volumeMounts": "mountPath",
    "initContainers.env": "name",
    "initContainers.ports": "containerPort",
    "initContainers.volumeMounts": "mountPath",
    "metadata.ownerReferences": "uid",
    "spec.containers": "name",
    "spec.ephemeralContainers": "name",
    "spec.hostAliases": "ip",
    "spec.imagePullSecrets": "name",
    "spec.initContainers": "name",
    "spec.ports": "port",
    "spec.schedulingGates": "name",
    "spec.topologySpreadConstraints": "topologyKey",
    "spec.volumes": "name",
    "status.addresses": "type",
    "status.conditions": "type",
    "status.hostIPs": "ip",
    "status.podIPs": "ip",
}
"""patchMergeKey by parent and field; the lists that are not here are replaced."""

_SETS = ("metadata.finalizers",)
_DIRECTIVE = "$patch"
_ORDER = "$setElementOrder/"
_DELETE_FROM = "$deleteFromPrimitiveList/"
_RETAIN = "$retainKeys"


def merge(target: Any, patch: Any, parent: str = "", field: str = "") -> Any:
    """The merged value; `target` itself when nothing changes."""
    if isinstance(patch, dict):
        return _merge_map(target if isinstance(target, dict) else {}, patch, field)
    if isinstance(patch, list):
        path = f"{parent}.{field}"
        before = target if isinstance(target, list) else []
        if path in _SETS:
            return _ordered([*before, *(i for i in patch if i not in before)], patch, before, "")
        if path in MERGE_KEYS:
            return _merge_list(before, patch, field, MERGE_KEYS[path])
    return patch


def _merge_map(target: dict[str, Any], patch: dict[str, Any], field: str) -> dict[str, Any]:
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if directive == "delete":
        return {}
    result = dict(target)
    if _RETAIN in patch:
        result = {key: value for key, value in result.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if key.startswith(_DELETE_FROM):
            name = key.removeprefix(_DELETE_FROM)
            result[name] = [item for item in result.get(name) or () if item not in value]
        elif value is None:
            result.pop(key, None)
        elif key.startswith((_ORDER, _DIRECTIVE, _RETAIN)):
            continue
        elif key in target:
            result[key] = merge(target[key], value, field, key)
        elif not _is_directive(value):
            result[key] = _bare(value)
    return target if result == target else result


def _is_directive(value: Any) -> bool:
    return isinstance(value, dict) and _DIRECTIVE in value


def _bare(value: Any) -> Any:
    """What is taken over as it is, without directives and nulls."""
    if isinstance(value, dict):
        return {
            name: _bare(item)
            for name, item in value.items()
            if item is not None
            and not _is_directive(item)
            and not name.startswith((_ORDER, _DELETE_FROM, _RETAIN))
        }
    if isinstance(value, list):
        return [_bare(item) for item in value if not _is_directive(item)]
    return value


def _merge_list(before: list[Any], patch: list[Any], field: str, key: str) -> list[Any]:
    plain = [item for item in patch if _DIRECTIVE not in item]
    if any(item.get(_DIRECTIVE) == "replace" for item in patch):
        return plain
    deleted = [item.get(key) for item in patch if item.get(_DIRECTIVE) == "delete"]
    merged = [item for item in before if item.get(key) not in deleted]
    for item in plain:
        name = item.get(key)
        index = next((i for i, other in enumerate(merged) if other.get(key) == name), None)
        if index is None:
            merged.append(item)
        else:
            merged[index] = _merge_map(merged[index], item, field)
    return _ordered(merged, plain, before, key)


def _ordered(merged: list[Any], patch: list[Any], before: list[Any], key: str) -> list[Any]:
    """In the order of Kubernetes: what the patch adds stands before what only the server has."""
    order = [_name(item, key) for item in before]
    wanted = [_name(item, key) for item in patch]
    patched = sorted(
        (item for item in merged if _name(item, key) in wanted),
        key=lambda item: wanted.index(_name(item, key)),
    )
    others = [item for item in merged if _name(item, key) not in wanted]
    result = []
    while patched and others:
        ours, theirs = _name(patched[0], key), _name(others[0], key)
        server_first = ours in order and order.index(theirs) < order.index(ours)
        result.append((others if server_first else patched).pop(0))
    return [*result, *patched, *others]


def _name(item: Any, key: str) -> Any:
    return item.get(key) if key else item
