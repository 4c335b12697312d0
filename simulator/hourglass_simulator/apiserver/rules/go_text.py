"""Values of internal types as Go prints them in messages: JSON with the names of Go's fields.

https://pkg.go.dev/encoding/json#Marshal
"""

import difflib
import json
from typing import Any

from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.schema_error import Verbatim

_ZEROS: dict[str, Any] = {
    "bool": False,
    "float64": 0,
    "int": 0,
    "int32": 0,
    "int64": 0,
    "intstr.IntOrString": 0,
    "resource.Quantity": "0",
    "meta.Time": None,
    "meta.MicroTime": None,
}
_OF_THE_SPEC = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
"""Fields of a pod's spec that are in its security context inside the server, before 1.37."""


def printed(go_type: str, value: Any) -> Verbatim:
    """A value of the API as JSON of an internal type: `core.Taint`, `[]core.Toleration`."""
    text = json.dumps(_value(go_type, value), ensure_ascii=False, separators=(",", ":"))
    return Verbatim(_escaped(text))


def difference(go_type: str, old: Any, new: Any) -> str:
    """The difference of two values, line by line.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/diff/diff.go
    """
    # An empty list or object is on one line in Go as in Python.
    before, after = (
        _escaped(json.dumps(_value(go_type, value), ensure_ascii=False, indent=1)).split("\n")
        for value in (old, new)
    )
    found = list(difflib.unified_diff(before, after, lineterm=""))
    return "".join(f"{line}\n" for line in found[2:])


def _escaped(text: str) -> str:
    for char in "&<>":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _value(go_type: str, value: Any) -> Any:
    if go_type.startswith("*"):
        return None if value is None else _value(go_type[1:], value)
    if go_type == "[]byte":
        return value
    if go_type.startswith("[]"):
        return None if not value else [_value(go_type[2:], item) for item in value]
    if go_type.startswith("map"):
        if not value:
            return None
        return {key: _value(go_type[3:], value[key]) for key in sorted(value)}
    fields = gates.version().internal_types.get(go_type)
    if fields is not None:
        return _struct(go_type, fields, value or {})
    return _ZEROS.get(go_type, "") if value is None else value


def _struct(go_type: str, fields: list[Any], value: Any) -> dict[str, Any]:
    if go_type == "core.PodSpec" and all(name != "HostNetwork" for name, *_ in fields):
        moved = {name: value[name] for name in _OF_THE_SPEC if name in value}
        if moved or "securityContext" in value:
            context = {**(value.get("securityContext") or {}), **moved}
            value = {**value, "securityContext": context}
    result: dict[str, Any] = {}
    for name, json_name, field_type, embedded, *omit in fields:
        if embedded:
            inlined = value.get("metadata") if field_type == "meta.ObjectMeta" else value
            result |= _value(field_type.lstrip("*"), inlined) or {}
            continue
        key = json_name or _camel(name)
        found = _value(field_type, value.get(key))
        if not omit or found not in (None, "", 0, False):
            result[name] = found
    return result


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]
