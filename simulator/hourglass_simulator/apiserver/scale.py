"""The subresource scale of custom resources.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go
"""

from collections.abc import Iterator
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError, go_float

_LARGEST = 2**31 - 1
UNSET = -(2**31)
"""What stands for replicas that are not given."""
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_MAP = "map[string]interface {}"
_GO_TYPES = {str: "string", bool: "bool", float: "float64", int: "int64", dict: _MAP}
_GO_TYPES |= {list: "[]interface {}"}


class ScaleError(ValueError):
    """A value that is of another type than a scale needs."""


def faults(obj: JSON, paths: JSON, *, status_only: bool) -> Iterator[FieldError]:
    """What is wrong with the counts and the selector at the paths of a scale."""
    if not status_only:
        yield from _count(obj, paths["specReplicasPath"])
    yield from _count(obj, paths["statusReplicasPath"])
    if selector := paths.get("labelSelectorPath"):
        try:
            _nested(obj, selector, str)
        except ScaleError as error:
            yield FieldError(ErrorType.INVALID, selector, "", str(error))


def _count(obj: JSON, path: str) -> Iterator[FieldError]:
    try:
        count = _nested(obj, path, int) or 0
    except ScaleError as error:
        yield FieldError(ErrorType.INVALID, path, 0, str(error))
        return
    if count < 0:
        yield FieldError(ErrorType.INVALID, path, count, "should be a non-negative integer")
    elif count > _LARGEST:
        why = f"should be less than or equal to {_LARGEST}"
        yield FieldError(ErrorType.INVALID, path, count, why)


def scale_of(obj: JSON, paths: JSON) -> JSON:
    """The Scale of an object; replicas that it does not have are left out.

    Raises ScaleError when there is something else at one of the paths.
    """
    meta = obj["metadata"]
    wanted = _nested(obj, paths["specReplicasPath"], int)
    selector = _nested(obj, paths.get("labelSelectorPath") or "", str)
    status = {"replicas": _nested(obj, paths["statusReplicasPath"], int) or 0}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: meta[name] for name in _META if name in meta},
        "spec": {} if wanted is None else {"replicas": wanted} if wanted else {},
        "status": {**status, "selector": selector} if selector else status,
    }


def has_replicas(obj: JSON, paths: JSON) -> bool:
    """Whether an object says how many it wants."""
    return _nested(obj, paths["specReplicasPath"], int) is not None


def scaled(obj: JSON, replicas: int, paths: JSON) -> JSON:
    """The object with so many replicas."""
    return with_replicas(obj, replicas, paths["specReplicasPath"])


def with_replicas(obj: JSON, replicas: int, path: str) -> JSON:
    """The object with so many replicas at a path such as `.spec.replicas`."""
    return _with(obj, path.removeprefix(".").split("."), replicas)


def _with(obj: JSON, fields: list[str], value: Any) -> JSON:
    name, *below = fields
    return {**obj, name: _with(obj.get(name) or {}, below, value) if below else value}


def _nested(obj: Any, path: str, kind: type) -> Any:
    """The value at a simple path, None where there is none."""
    if not path:
        return None
    fields, value = path.removeprefix(".").split("."), obj
    for index, name in enumerate(fields):
        if value is None:
            return None
        if not isinstance(value, dict):
            at = ".".join(fields[: index + 1])
            raise ScaleError(_accessor(f".{at}", value, "map[string]interface{}"))
        if name not in value:
            return None
        value = value[name]
    if type(value) is not kind:
        raise ScaleError(_accessor(path, value, _GO_TYPES[kind]))
    return value


def _accessor(path: str, value: Any, expected: str) -> str:
    found = go_type_of(value)
    return f"{path} accessor error: {printed(value)} is of the type {found}, expected {expected}"


def go_type_of(value: Any) -> str:
    """The Go type of a JSON value that was decoded without one."""
    return _GO_TYPES.get(type(value), "float64" if isinstance(value, float) else "<nil>")


def printed(value: Any) -> str:
    """A value as `%v` of Go prints it."""
    if isinstance(value, dict):
        entries = (f"{name}:{printed(each)}" for name, each in sorted(value.items()))
        return f"map[{' '.join(entries)}]"
    if isinstance(value, list):
        return f"[{' '.join(map(printed, value))}]"
    if isinstance(value, float):
        return go_float(value)
    return (
        "<nil>" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )
