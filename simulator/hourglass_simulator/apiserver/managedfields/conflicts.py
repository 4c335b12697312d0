"""The error of an apply that wants fields of others to be otherwise.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go
"""

from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.managedfields import fieldpath, fieldset
from hourglass_simulator.apiserver.managedfields.entries import Entries, Entry
from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet
from hourglass_simulator.apiserver.schema_error import quoted


def conflict_error(conflicts: dict[str, FieldSet], found: Entries) -> APIError:
    """409 with a cause for each field; the real server has the managers in no order."""
    causes, lines = [], []
    only = ""
    for name in sorted(conflicts):
        who = _shown(found[name])
        lines.append(f"conflicts with {who}:")
        for path in fieldset.paths(conflicts[name]):
            where = fieldpath.shown(path)
            only = f"conflict with {who}: {where}"
            lines.append(f"- {where}")
            causes.append(
                {
                    "reason": "FieldManagerConflict",
                    "message": f"conflict with {who}",
                    "field": where,
                }
            )
    one = len(causes) == 1
    what = f"1 conflict: {only}" if one else f"{len(causes)} conflicts: " + "\n".join(lines)
    return APIError(409, "Conflict", f"Apply failed with {what}", {"causes": causes})


def _shown(entry: Entry) -> str:
    who = quoted(entry.manager)
    if entry.subresource:
        who += f" with subresource {quoted(entry.subresource)}"
    if entry.applied:
        return who
    # The identifier of an entry, which is what the real server prints, has no time.
    return f"{who} using {entry.version}"
