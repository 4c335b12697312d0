"""Labels, annotations and selectors of labels.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
"""

from collections.abc import Mapping
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import names
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    duplicate,
    each,
    forbidden,
    invalid,
    one_of,
    required,
    too_long,
)

ANNOTATIONS_SIZE = 256 * 1024
_STATES = ("False", "True", "Unknown")
_WITH_VALUES = ("In", "NotIn")
_WITHOUT_VALUES = ("Exists", "DoesNotExist")


def label_name(field: str, value: str) -> Faults:
    """A key of a label."""
    yield from each(field, value, names.qualified_name(value))


def labels(field: str, given: Mapping[str, str] | None) -> Faults:
    """Keys and values of labels."""
    for key, value in sorted((given or {}).items()):
        yield from label_name(field, key)
        yield from each(field, value, names.label_value(value))


def annotations(field: str, given: Mapping[str, str] | None) -> Faults:
    """Keys of annotations, and their size."""
    given = given or {}
    for key in sorted(given):
        yield from each(field, key, names.qualified_name(key.lower()))
    if sum(len(k.encode()) + len(v.encode()) for k, v in given.items()) > ANNOTATIONS_SIZE:
        yield too_long(field, ANNOTATIONS_SIZE)


def selector(field: str, given: JSON | None) -> Faults:
    """A LabelSelector."""
    if given is None:
        return
    yield from labels(f"{field}.matchLabels", given.get("matchLabels"))
    for index, requirement in enumerate(given.get("matchExpressions") or ()):
        yield from _requirement(f"{field}.matchExpressions[{index}]", requirement)


def _requirement(path: str, requirement: JSON) -> Faults:
    operator, values = requirement.get("operator", ""), requirement.get("values") or []
    if operator in _WITH_VALUES and not values:
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        yield required(f"{path}.values", why)
    elif operator in _WITHOUT_VALUES and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield forbidden(f"{path}.values", why)
    elif operator not in (*_WITH_VALUES, *_WITHOUT_VALUES):
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from label_name(f"{path}.key", requirement.get("key", ""))
    for index, value in enumerate(values):
        yield from each(f"{path}.values[{index}]", value, names.label_value(value))


def usable(given: JSON | None) -> bool:
    """Whether a LabelSelector becomes a selector; labels that are no labels are taken as they are.

    https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#LabelSelectorAsSelector
    """
    if given is None:
        return True
    for requirement in given.get("matchExpressions") or ():
        operator, values = requirement.get("operator"), requirement.get("values") or []
        known = operator in (*_WITH_VALUES, *_WITHOUT_VALUES)
        if not known or (operator in _WITH_VALUES) != bool(values):
            return False
        if any(_requirement("", requirement)):
            return False
    return all(not any(labels("", {k: v})) for k, v in (given.get("matchLabels") or {}).items())


def matches(given: JSON | None, found: Mapping[str, str] | None) -> bool:
    """Whether a usable LabelSelector selects labels; none selects nothing, an empty one all."""
    if given is None:
        return False
    found = found or {}
    if any(found.get(k) != v for k, v in (given.get("matchLabels") or {}).items()):
        return False
    return all(_holds(r, found) for r in given.get("matchExpressions") or ())


def _holds(requirement: JSON, found: Mapping[str, str]) -> bool:
    key, values = requirement["key"], requirement.get("values") or []
    return {
        "In": found.get(key) in values and key in found,
        "NotIn": key not in found or found[key] not in values,
        "Exists": key in found,
        "DoesNotExist": key not in found,
    }[requirement["operator"]]


def is_empty(given: JSON | None) -> bool:
    """Whether a LabelSelector says nothing."""
    return not given or not (given.get("matchLabels") or given.get("matchExpressions"))


def text(given: JSON | None) -> str:
    """A LabelSelector as a query: `a=b,c in (d,e)`."""
    written = [(k, f"{k}={v}") for k, v in ((given or {}).get("matchLabels") or {}).items()]
    for requirement in (given or {}).get("matchExpressions") or ():
        key, operator = requirement["key"], requirement["operator"]
        values = ",".join(sorted(requirement.get("values") or ()))
        forms = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        written.append((key, forms[operator]))
    return ",".join(form for _, form in sorted(written, key=lambda pair: pair[0]))


def conditions(field: str, given: list[Any] | None) -> Faults:
    """Conditions of the type metav1.Condition."""
    seen: set[str] = set()
    for index, condition in enumerate(given or ()):
        path, kind = f"{field}[{index}]", condition.get("type", "")
        is_declared = gates.version().minor >= 37
        if kind in seen:
            yield duplicate(path if is_declared else f"{path}.type", kind)
        seen.add(kind)
        if is_declared and not kind:
            yield required(f"{path}.type", "is required")
        else:
            yield from label_name(f"{path}.type", kind)
        check = choice if is_declared else one_of
        yield from check(f"{path}.status", condition.get("status", ""), _STATES)
        if (condition.get("observedGeneration") or 0) < 0:
            why = "must be greater than or equal to zero"
            yield invalid(f"{path}.observedGeneration", condition["observedGeneration"], why)
        if not condition.get("lastTransitionTime"):
            yield required(f"{path}.lastTransitionTime")
        yield from _reason(f"{path}.reason", condition.get("reason", ""))


def _reason(field: str, reason: str) -> Faults:
    if not reason:
        yield required(field)
    else:
        yield from each(field, reason, names.condition_reason(reason))
