"""Which names of a CustomResourceDefinition are accepted, and whether it is established.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/controller/status/naming_controller.go
"""

import re
from collections.abc import Iterable
from typing import Any

from hourglass_kube.types import JSON

NAMES_ACCEPTED, ESTABLISHED = "NamesAccepted", "Established"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
LABEL_1035_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    f"regex used for validation is '{_LABEL_1035}')"
)
_ORDER = ("plural", "singular", "shortNames", "kind", "listKind")


def is_label_1035(text: str) -> bool:
    """A name that also a Service may have."""
    return len(text) <= 63 and re.fullmatch(_LABEL_1035, text) is not None


def is_true(crd: JSON, kind: str) -> bool:
    """Whether a definition has a condition."""
    found = (crd.get("status") or {}).get("conditions") or ()
    return any(each["type"] == kind and each["status"] == "True" for each in found)


def named(crd: JSON, others: Iterable[JSON], timestamp: str) -> JSON:
    """The status of a definition after its names were compared with those of its group."""
    status = crd.get("status") or {}
    accepted = status.get("acceptedNames") or {}
    requested = crd["spec"]["names"]
    if requested == accepted:
        return status
    in_use = [(each.get("status") or {}).get("acceptedNames") or {} for each in others]
    resources = {"", *accepted.get("shortNames", ())}
    kinds = {""}
    for names in (*in_use, accepted):
        resources |= {names.get("plural", ""), names.get("singular", "")}
        resources |= set(names.get("shortNames") or ())
        kinds |= {names.get("kind", ""), names.get("listKind", "")}
    new, reason, message = dict(accepted), "NoConflicts", "no conflicts found"
    for field in _ORDER:
        used = kinds if field in ("kind", "listKind") else resources
        taken = _taken(requested, accepted, field, used)
        if taken:
            reason, message = f"{field[0].upper()}{field[1:]}Conflict", taken
        elif requested.get(field):
            new[field] = requested[field]
        else:
            new.pop(field, None)
    new.pop("categories", None)
    if requested.get("categories"):
        new["categories"] = requested["categories"]
    fine = reason == "NoConflicts"
    conditions = with_condition(status, NAMES_ACCEPTED, str(fine), reason, message, timestamp)
    if not is_true(crd, ESTABLISHED):
        why = ("Installing", "the initial names have been accepted") if fine else _NOT_ACCEPTED
        conditions = with_condition(
            {"conditions": conditions}, ESTABLISHED, "False", *why, timestamp
        )
    return {**status, "acceptedNames": new, "conditions": conditions}


_NOT_ACCEPTED = ("NotAccepted", "not all names are accepted")


def established(crd: JSON, timestamp: str) -> JSON:
    """The status of a definition whose names are accepted, when it is served."""
    status = crd.get("status") or {}
    if is_true(crd, ESTABLISHED) or not is_true(crd, NAMES_ACCEPTED):
        return status
    why = ("InitialNamesAccepted", "the initial names have been accepted")
    return {**status, "conditions": with_condition(status, ESTABLISHED, "True", *why, timestamp)}


def _taken(requested: JSON, accepted: JSON, field: str, used: set[str]) -> str:
    if field == "shortNames":
        own = accepted.get(field) or ()
        wanted = [name for name in requested.get(field) or () if name not in own]
        found = [f'"{name}" is already in use' for name in wanted if name in used]
        return found[0] if len(found) == 1 else f"[{', '.join(found)}]" if found else ""
    name = requested.get(field, "")
    if name == accepted.get(field, "") or name not in used:
        return ""
    return f'"{name}" is already in use'


def with_condition(
    status: JSON, kind: str, state: str, reason: str, message: str, timestamp: str
) -> list[Any]:
    """The conditions with one of them set."""
    condition = {
        "type": kind,
        "status": state,
        "lastTransitionTime": timestamp,
        "reason": reason,
        "message": message,
    }
    conditions = list(status.get("conditions") or ())
    for index, each in enumerate(conditions):
        if each["type"] == kind:
            if each["status"] == condition["status"]:
                condition["lastTransitionTime"] = each["lastTransitionTime"]
            conditions[index] = condition
            return conditions
    return [*conditions, condition]
