"""CEL expressions that select devices.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/dynamic-resource-allocation/cel/compile.go
"""

from functools import cache

from cel_expr_python import cel  # type: ignore[import-untyped]

from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.cel_check import compiled
from hourglass_simulator.apiserver.cel_library import LISTS_SINCE
from hourglass_simulator.apiserver.cel_source import checkable
from hourglass_simulator.apiserver.cel_types import DeclaredType, checking_environment

_DEVICE = "self.Type1"
"""How the type of `device` is called where expressions are checked."""
_TEXT, _ANY, _BOOL = DeclaredType("string", 2), DeclaredType("dyn", 1), DeclaredType("bool", 4)
_BY_DOMAIN = DeclaredType("map", 2, element=DeclaredType("map", 2, element=_ANY))
_FIELDS = {"driver": _TEXT, "attributes": _BY_DOMAIN, "capacity": _BY_DOMAIN}
_KINDS = (
    (cel.Type.STRING, "string"),
    (cel.Type.INT, "int"),
    (cel.Type.UINT, "uint"),
    (cel.Type.DOUBLE, "double"),
    (cel.Type.BYTES, "bytes"),
)


@cache
def _environment(*, shares: bool, lists: bool) -> cel.Env:
    shared = {"allowMultipleAllocations": _BOOL} if shares else {}
    of = DeclaredType("object", 2, fields={**_FIELDS, **shared})
    return checking_environment(of, "device", lists=lists)


def fault(expression: str, *, shares: bool) -> str:
    """What is wrong with an expression, may be nothing.

    `shares`: whether devices say that they can be allocated several times.
    """
    lists = gates.since(LISTS_SINCE)
    written = checkable(expression, sorts=lists)
    try:
        found = compiled(_environment(shares=shares, lists=lists), written).return_type()
    except ValueError as error:
        why = str(error).replace(_DEVICE, "kubernetes.DRADevice")
        # Nothing has no first column in Go.
        why = why if expression else why.replace("<input>:1:1:", "<input>:1:0:")
        return f"compilation failed: {why}"
    if found in (cel.Type.BOOL, cel.Type.DYN):
        return ""
    shown = next((name for kind, name in _KINDS if kind == found), str(found))
    shown = shown.replace(_DEVICE, "kubernetes.DRADevice")
    return f"must evaluate to bool or the unknown type, not {shown}"
