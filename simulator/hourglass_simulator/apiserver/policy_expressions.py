"""The expressions of policies and webhooks are compiled before they are stored.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/admissionregistration/validation/validation.go
"""

import re
from collections.abc import Iterable, Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.cel_admission import Checker
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError


def with_faults(plural: str, obj: JSON, others: Iterable[FieldError]) -> list[FieldError]:
    """What is wrong with an object that configures admission: its expressions, and `others`.

    In the order of the real server, which looks at an expression where it comes to it.
    """
    return sorted([*others, *_faults(plural, obj)], key=lambda fault: _place(fault.field))


def _place(field: str) -> tuple[int, int, int]:
    """Where an error comes among others; those of other fields stay as they are."""
    found = re.match(r"spec\.(matchConditions|variables)\[(\d+)\]\.(\w+)", field)
    if found is not None:
        section, index, part = found.groups()
        # The expression of a condition comes before its name, the name of a variable first.
        late = (part == "name") == (section == "matchConditions")
        return 1 + ("matchConditions", "variables").index(section), int(index), int(late)
    is_later = re.match(r"spec\.(validations|mutations|auditAnnotations|reinvocation)", field)
    return (3 if is_later else 0), 0, 0


def _faults(plural: str, obj: JSON) -> Iterator[FieldError]:
    if plural == "validatingadmissionpolicies":
        yield from _of_policy(obj["spec"])
    elif plural == "mutatingadmissionpolicies":
        yield from _of_mutating_policy(obj["spec"])
    elif plural in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        for index, webhook in enumerate(obj.get("webhooks") or ()):
            yield from _conditions(
                Checker(params=False), webhook, f"webhooks[{index}].matchConditions"
            )


def _of_policy(spec: JSON) -> Iterator[FieldError]:
    checker = Checker(params=spec.get("paramKind") is not None)
    yield from _conditions(checker, spec, "spec.matchConditions")
    yield from _variables(checker, spec)
    for index, each in enumerate(spec.get("validations") or ()):
        for field, kind in (("expression", "bool"), ("messageExpression", "string")):
            source = each.get(field, "")
            path = f"spec.validations[{index}].{field}"
            asks = field == "expression"
            yield from _fault(path, source, checker.error(source, kind, asks=asks))
    for index, each in enumerate(spec.get("auditAnnotations") or ()):
        source = each.get("valueExpression", "")
        path = f"spec.auditAnnotations[{index}].valueExpression"
        yield from _fault(path, source, checker.error(source, "string", "null_type"))


def _of_mutating_policy(spec: JSON) -> Iterator[FieldError]:
    checker = Checker(params=spec.get("paramKind") is not None, mutates=True)
    yield from _conditions(checker, spec, "spec.matchConditions")
    yield from _variables(checker, spec)
    for index, each in enumerate(spec.get("mutations") or ()):
        for patch, field, kind in _MUTATIONS:
            if each.get("patchType") == patch and each.get(field) is not None:
                source = (each[field].get("expression") or "").strip()
                path = f"spec.mutations[{index}].{field}.expression"
                yield from _fault(path, source, checker.error(source, kind))


_MUTATIONS = (
    ("JSONPatch", "jsonPatch", "list(JSONPatch)"),
    ("ApplyConfiguration", "applyConfiguration", "Object"),
)


def _variables(checker: Checker, spec: JSON) -> Iterator[FieldError]:
    for index, each in enumerate(spec.get("variables") or ()):
        source = each.get("expression", "")
        why = checker.variable(each.get("name", ""), source)
        yield from _fault(f"spec.variables[{index}].expression", source, why)


def _conditions(checker: Checker, source: JSON, path: str) -> Iterator[FieldError]:
    for index, each in enumerate(source.get("matchConditions") or ()):
        expression = each.get("expression", "")
        why = checker.error(expression, "bool")
        yield from _fault(f"{path}[{index}].expression", expression, why)


def _fault(path: str, source: str, why: str) -> Iterator[FieldError]:
    if why:
        yield FieldError(ErrorType.INVALID, path, source, why)
