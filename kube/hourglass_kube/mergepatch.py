"""JSON merge patches: https://datatracker.ietf.org/doc/html/rfc7386"""

from typing import Any

from hourglass_kube.types import JSON


def merge_patch(target: Any, patch: Any) -> Any:
    """The patched value, sharing what stays as it is: the target itself if nothing changes."""
    if not isinstance(patch, dict):
        return target if same(target, patch) else patch
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


def same(one: Any, other: Any) -> bool:
    """Deep equality of JSON values that does not take true for 1; shared parts cost nothing."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            name in other and same(value, other[name]) for name, value in one.items()
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
