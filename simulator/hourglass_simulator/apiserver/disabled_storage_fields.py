"""Fields of CSI drivers and volume attachments behind a feature that is off: the server drops them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/storage/csidriver/strategy.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/storage/volumeattachment/strategy.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import Version

_GATE = "MutableCSINodeAllocatableCount"
_FIELDS = {
    "csidrivers": (("spec", "nodeAllocatableUpdatePeriodSeconds"),),
    "volumeattachments": (
        ("status", "attachError", "errorCode"),
        ("status", "detachError", "errorCode"),
    ),
}


def without(plural: str, obj: JSON, old: JSON | None, version: Version) -> JSON:
    """An object without those of them that it did not have before."""
    if plural not in _FIELDS or version.enabled(_GATE):
        return obj
    for path in _FIELDS[plural]:
        if not _has(old or {}, path):
            obj = _less(obj, path)
    return obj


def _has(obj: JSON, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(obj, dict) or obj.get(name) is None:
            return False
        obj = obj[name]
    return True


def _less(obj: JSON, path: tuple[str, ...]) -> JSON:
    if not _has(obj, path):
        return obj
    name, *below = path
    if not below:
        return {field: value for field, value in obj.items() if field != name}
    return {**obj, name: _less(obj[name], tuple(below))}
