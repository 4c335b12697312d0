"""JSON values as Go's fmt package prints them in messages: https://pkg.go.dev/fmt."""

import re
from typing import Any

from hourglass_simulator.apiserver.schema_error import quoted


def value(found: Any) -> str:
    """`%v` of a value of structured-merge-diff."""
    return f"&{{{plain(found)}}}"


def syntax(found: Any) -> str:
    """`%#v` of a value of structured-merge-diff."""
    return f"&value.valueUnstructured{{Value:{_syntax(found)}}}"


def type_of(found: Any) -> str:
    """`%T`."""
    if isinstance(found, bool):
        return "bool"
    if isinstance(found, dict):
        return "map[string]interface {}"
    if isinstance(found, list):
        return "[]interface {}"
    names = {str: "string", int: "int64", float: "float64"}
    return names.get(type(found), "<nil>")


def plain(found: Any) -> str:
    """`%v` of a JSON value."""
    if found is None:
        return "<nil>"
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, dict):
        return "map[" + " ".join(f"{name}:{plain(found[name])}" for name in sorted(found)) + "]"
    if isinstance(found, list):
        return "[" + " ".join(map(plain, found)) + "]"
    return str(found)


def _syntax(found: Any) -> str:
    if found is None:
        return "interface {}(nil)"
    if isinstance(found, dict):
        inside = ", ".join(f"{quoted(name)}:{_syntax(found[name])}" for name in sorted(found))
        return f"map[string]interface {{}}{{{inside}}}"
    if isinstance(found, list):
        return f"[]interface {{}}{{{', '.join(map(_syntax, found))}}}"
    return quoted(found) if isinstance(found, str) else plain(found)


_UNMARSHAL = re.compile(r"json: cannot unmarshal (\w+)( [-\d.e+]+)? into .* of type (\S+)$")
_REFLECTED = {"object": "map", "array": "slice", "number": "int64"}


def restored(why: str) -> str:
    """What converting an unstructured object says where decoding its JSON says `why`.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/runtime/converter.go
    """
    found = _UNMARSHAL.search(why)
    if found is None:
        # Bytes are decoded by the converter; times and quantities decode themselves.
        return f"error decoding from json: {why}" if why.startswith("illegal base64") else why
    given, number, wanted = found[1], found[2] or "", found[3]
    shown = "float64" if "." in number else _REFLECTED.get(given, given)
    if wanted.startswith("map["):
        return f"cannot restore map from {shown}"
    if wanted.startswith("[]"):
        return f"cannot restore slice from {shown}"
    if "." in wanted:
        return f"cannot restore struct from: {shown}"
    numeric = wanted.startswith(("int", "uint", "float"))
    if given == "number" and (numeric or (wanted == "string" and shown == "int64")):
        return f"cannot convert {shown} to {wanted}"
    return f"unrecognized type: {wanted}"
