"""What newer versions declare of fields, and say of them in other words.

Where a rule is declared beside the type of a field, an error has the words of the declaration:
https://github.com/kubernetes/kubernetes/tree/v1.37.2/staging/src/k8s.io/apimachinery/pkg/api/validate
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from hourglass_simulator.apiserver.rules.fault import IMMUTABLE
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError
from hourglass_simulator.kubernetes.version import Version


class _Declared(NamedTuple):
    """Fields, as regular expressions, whose errors read otherwise."""

    immutable: tuple[str, ...] = ()
    """`field is immutable`, without the value."""
    required: tuple[str, ...] = ()
    """`Required value`, without more, and nothing else is said of such a field."""
    late: tuple[str, ...] = ()
    """They come after all others."""


_VERBS = (r"rules\[\d+\]\.verbs",)
_SINCE_1_37: Mapping[str, _Declared] = {
    "endpointslices": _Declared(("addressType",), (r"endpoints\[\d+\]\.addresses",)),
    "horizontalpodautoscalers": _Declared((), (r"spec\.maxReplicas",), (r"spec\.maxReplicas",)),
    "ipaddresses": _Declared((r"spec\.parentRef",)),
    "runtimeclasses": _Declared(("handler",), ("handler",)),
    "storageclasses": _Declared(
        ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")
    ),
    "clusterroles": _Declared((), _VERBS, _VERBS),
    "networkpolicies": _Declared((), (), (r".*\.ipBlock\.cidr",)),
    "resourceclaims": _Declared(("spec",)),
    "roles": _Declared((), _VERBS, _VERBS),
    "validatingadmissionpolicybindings": _Declared((), (r"spec\.validationActions",)),
    "volumeattachments": _Declared(("spec",), (r"spec\.attacher",), (r"spec\.attacher",)),
}


def reworded(version: Version, plural: str, faults: Iterable[FieldError]) -> Iterator[FieldError]:
    """Errors in the words of a version."""
    declared = _SINCE_1_37.get(plural) if version.minor >= 37 else None
    if declared is None:
        yield from faults
        return
    missing: set[str] = set()
    late: list[FieldError] = []
    for fault in faults:
        if _is(declared.immutable, fault.field) and _is_change(fault):
            fault = FieldError(ErrorType.INVALID, fault.field, None, IMMUTABLE)
        elif _is(declared.required, fault.field) and _is_missing(fault):
            if fault.field in missing:
                continue
            missing.add(fault.field)
            fault = FieldError(ErrorType.REQUIRED, fault.field, None, "")
        if _is(declared.late, fault.field) and _is_missing(fault):
            late.append(fault)
        else:
            yield fault
    yield from late


def _is(patterns: tuple[str, ...], field: str) -> bool:
    return any(re.fullmatch(pattern, field) for pattern in patterns)


def _is_change(fault: FieldError) -> bool:
    return fault.detail in (IMMUTABLE, f"updates to {fault.field} are forbidden.")


def _is_missing(fault: FieldError) -> bool:
    if "`" in fault.detail:
        return False  # It is compared with another field, which is not declared.
    nothing = fault.value == "" or (type(fault.value) is int and fault.value == 0)
    return fault.type is ErrorType.REQUIRED or nothing
