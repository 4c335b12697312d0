"""JSON patches as the real server applies them.

RFC 6902 with the liberties of its library: indices count from the end when they are negative, a
replacement may add a member, and what is not there is copied and tested as null.
https://github.com/evanphx/json-patch/blob/v4.13.0/patch.go
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from hourglass_kube.mergepatch import same
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.errors import (
    APIError,
    bad_request,
    patch_does_not_apply,
    too_many_operations,
)
from hourglass_simulator.apiserver.go_values import Repeated

MOST_OPERATIONS = 10_000
_FIELDS = ("op", "path", "from", "value")
_INDEX = re.compile(r"[+-]?\d+")
_TYPE = "handlers.jsonPatchOp"


def apply(target: JSON, patch: Any) -> JSON:
    """The patched object; 400 for what is no patch, 422 for one that does not apply."""
    operations = _decoded(patch)
    if len(operations) > MOST_OPERATIONS:
        raise too_many_operations(MOST_OPERATIONS, len(operations))
    for operation in operations:
        change = _OPERATIONS.get(operation.get("op") or "")
        if change is None or operation.get("path") is None:
            raise patch_does_not_apply()
        target = change(target, operation)
    return target


def strange_fields(patch: Any) -> list[str]:
    """What strict decoding says of the operations."""
    found = []
    for index, operation in enumerate(patch if isinstance(patch, list) else ()):
        if not isinstance(operation, dict):
            continue
        repeated = operation.repeated if isinstance(operation, Repeated) else ()
        found += [f'json patch duplicate field "[{index}].{name}"' for name in repeated]
        unknown = [name for name in operation if name not in _FIELDS]
        found += [f'json patch unknown field "[{index}].{name}"' for name in unknown]
    return found


def _decoded(patch: Any) -> Sequence[JSON]:
    if patch is None:
        return []
    if not isinstance(patch, list):
        raise _mismatch(patch, f"Go value of type []{_TYPE}")
    for operation in patch:
        if not isinstance(operation, dict):
            raise _mismatch(operation, f"Go value of type {_TYPE}")
        for name in ("op", "path", "from"):
            value = operation.get(name)
            if value is not None and not isinstance(value, str):
                raise _mismatch(value, f"Go struct field jsonPatchOp.{name} of type string")
    return patch


def _mismatch(value: Any, into: str) -> APIError:
    kinds = {dict: "object", list: "array", str: "string", bool: "bool"}
    kind = kinds.get(type(value), "number")
    return bad_request(f"error decoding patch: json: cannot unmarshal {kind} into {into}")


def _keys(pointer: str) -> list[str]:
    """The steps of a pointer; 422 for one that leads to the whole object."""
    _, *rest = pointer.split("/")
    if not rest:
        raise patch_does_not_apply()
    return [key.replace("~1", "/").replace("~0", "~") for key in rest]


def _get(container: Any, key: str) -> Any:
    """A member or an item; None for a member that is not there."""
    if isinstance(container, dict):
        return container.get(key)
    if isinstance(container, list):
        return container[_place(key, len(container))]
    raise patch_does_not_apply()


def _place(key: str, size: int) -> int:
    """The index of an item that must be among so many."""
    if not _INDEX.fullmatch(key):
        raise patch_does_not_apply()
    index = int(key)
    if not -size <= index < size:
        raise patch_does_not_apply()
    return index + size if index < 0 else index


def _found(target: JSON, pointer: str) -> tuple[Any, str]:
    """The container that a pointer leads to, and the last step."""
    *parents, last = _keys(pointer)
    container: Any = target
    for key in parents:
        container = _get(container, key)
        if not isinstance(container, dict | list):
            raise patch_does_not_apply()
    return container, last


def _changed(target: Any, keys: Sequence[str], change: Callable[[Any, str], Any]) -> Any:
    """`target` with the container changed that the steps but the last lead to."""
    if len(keys) == 1:
        return change(target, keys[0])
    below = _get(target, keys[0])
    if not isinstance(below, dict | list):
        raise patch_does_not_apply()
    new = _changed(below, keys[1:], change)
    if isinstance(target, dict):
        return {**target, keys[0]: new}
    place = _place(keys[0], len(target))
    return [*target[:place], new, *target[place + 1 :]]


def _with(value: Any) -> Callable[[Any, str], Any]:
    def change(container: Any, key: str) -> Any:
        if isinstance(container, dict):
            return {**container, key: value}
        place = len(container) if key == "-" else _place(key, len(container) + 1)
        return [*container[:place], value, *container[place:]]

    return change


def _without(container: Any, key: str) -> Any:
    if isinstance(container, dict):
        if key not in container:
            raise patch_does_not_apply()
        return {name: value for name, value in container.items() if name != key}
    place = _place(key, len(container))
    return [*container[:place], *container[place + 1 :]]


def _add(target: JSON, operation: JSON) -> Any:
    return _changed(target, _keys(operation["path"]), _with(operation.get("value")))


def _remove(target: JSON, operation: JSON) -> Any:
    return _changed(target, _keys(operation["path"]), _without)


def _replace(target: JSON, operation: JSON) -> Any:
    def change(container: Any, key: str) -> Any:
        value = operation.get("value")
        if isinstance(container, dict):
            return {**container, key: value}
        place = _place(key, len(container))
        return [*container[:place], value, *container[place + 1 :]]

    return _changed(target, _keys(operation["path"]), change)


def _source(target: JSON, operation: JSON) -> Any:
    return _get(*_found(target, operation.get("from") or ""))


def _move(target: JSON, operation: JSON) -> Any:
    value = _source(target, operation)
    rest = _changed(target, _keys(operation["from"]), _without)
    return _changed(rest, _keys(operation["path"]), _with(value))


def _copy(target: JSON, operation: JSON) -> Any:
    return _changed(target, _keys(operation["path"]), _with(_source(target, operation)))


def _test(target: JSON, operation: JSON) -> Any:
    value = _get(*_found(target, operation["path"]))
    if not same(value, operation.get("value")):
        raise patch_does_not_apply()
    return target


_OPERATIONS: dict[str, Callable[[JSON, JSON], Any]] = {
    "add": _add,
    "copy": _copy,
    "move": _move,
    "remove": _remove,
    "replace": _replace,
    "test": _test,
}
