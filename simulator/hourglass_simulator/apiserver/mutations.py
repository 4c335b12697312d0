"""What the expressions of a MutatingAdmissionPolicy make of an object.

https://github.com/kubernetes/kubernetes/tree/v1.37.2/staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch
"""

from collections.abc import Iterator
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import json_patch
from hourglass_simulator.apiserver.cel_source import TYPE
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.managedfields.merge import merged
from hourglass_simulator.apiserver.managedfields.schema import Type
from hourglass_simulator.apiserver.managedfields.typed import SchemaError
from hourglass_simulator.apiserver.managedfields.validate import validate


class MutationError(Exception):
    """A mutation that cannot be made; the text is that of the real server."""


def applied(obj: JSON, found: JSON, known: Type) -> JSON:
    """An object with the configuration that an expression yields."""
    _check_types(found)
    patch = {**_untyped(found), "apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    what = "error applying patch"
    try:
        validate(patch, known)
    except SchemaError as error:
        why = f"failed to convert patch object to typed object: {error}"
        raise MutationError(f"{what}: {why}") from None
    if atomics := list(_atomics("", patch, known)):
        why = f"may not mutate atomic arrays, maps or structs: {', '.join(atomics)}"
        raise MutationError(f"{what}: invalid ApplyConfiguration: {why}")
    new: JSON = merged(obj, patch, known)
    return new


def patched(obj: JSON, found: list[JSON]) -> JSON:
    """An object with the JSON patches that an expression yields."""
    operations = []
    for each in found:
        value = each.get("value")
        if isinstance(value, dict) and TYPE in value:
            _check_types(value)
        operation = {name: item for name, item in each.items() if name != TYPE and item != ""}
        operations.append(_untyped(operation))
    new = obj
    for operation in operations:
        if operation.get("op") == "test" and not _meets(new, operation):
            return obj
        try:
            new = json_patch.apply(new, [operation])
        except APIError:
            raise MutationError(f"JSON Patch: {_why_not(new, operation)}") from None
    return new


def _meets(obj: JSON, operation: JSON) -> bool:
    try:
        json_patch.apply(obj, [operation])
    except APIError:
        return False
    return True


def _why_not(obj: JSON, operation: JSON) -> str:
    """https://github.com/evanphx/json-patch/blob/v4.13.0/patch.go"""
    name, path = operation.get("op", ""), operation.get("path", "")
    begins = f"{name} operation does not apply: doc is missing"
    if name in ("move", "copy"):
        source = operation.get("from", "")
        if not _has_parent(obj, source):
            return f"{begins} from path: {source}: missing value"
        return f"{begins} destination path: {path}: missing value"
    if name not in ("add", "remove", "replace"):
        return f"Unexpected kind: {name}"
    shown = path if name == "replace" else f'"{path}"'
    if not _has_parent(obj, path):
        return f"{begins} path: {shown}: missing value"
    if name == "replace":
        return f"{begins} key: {path}: missing value"
    last = path.rpartition("/")[2]
    if last.lstrip("-").isdigit():
        why = f"Unable to access invalid index: {last}: invalid index referenced"
    else:
        why = f"Unable to remove nonexistent key: {last}: missing value"
    return f"error in {name} for path: '{path}': {why}"


def _has_parent(obj: Any, path: str) -> bool:
    for step in path.split("/")[1:-1]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(obj, dict) and key in obj:
            obj = obj[key]
        elif isinstance(obj, list) and key.isdigit() and int(key) < len(obj):
            obj = obj[int(key)]
        else:
            return False
    return isinstance(obj, dict | list)


def _check_types(found: JSON) -> None:
    """Objects have the names of the fields that they are in."""
    faults = list(_misnamed(found, str(found[TYPE])))
    if faults:
        raise MutationError("type mismatch: " + "\n".join(faults))


def _misnamed(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _misnamed(item, path)
    elif isinstance(value, dict):
        kind = value.get(TYPE)
        if kind is not None and kind != path:
            yield (
                f'unexpected type name "{kind}", expected "{path}", which matches field name path'
                " from root Object type"
            )
        for name, item in value.items():
            if name != TYPE:
                yield from _misnamed(item, path if kind is None else f"{path}.{name}")


def _untyped(value: Any) -> Any:
    if isinstance(value, list):
        return [_untyped(item) for item in value]
    if isinstance(value, dict):
        return {name: _untyped(item) for name, item in value.items() if name != TYPE}
    return value


def _atomics(path: str, value: Any, known: Type) -> Iterator[str]:
    """The paths of what would be replaced as a whole."""
    atom = known.atom
    if isinstance(value, dict) and atom.map is not None:
        if atom.map.atomic:
            yield path
        for name, item in value.items():
            below = atom.map.fields.get(name)
            if below is not None:
                yield from _atomics(f"{path}.{name}", item, below)
    if isinstance(value, list) and atom.list is not None:
        if not atom.list.associative:
            yield path
        for index, item in enumerate(value):
            yield from _atomics(f"{path}[{index}]", item, atom.list.element)
