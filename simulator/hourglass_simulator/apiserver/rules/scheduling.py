"""What says where a pod may run: affinity, tolerations, spreading; and the taints of nodes.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import labels, names
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    duplicate,
    each,
    forbidden,
    invalid,
    one_of,
    positive,
    required,
)
from hourglass_simulator.apiserver.rules.go_text import printed

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_LARGEST_WEIGHT = 100


def affinity(path: str, given: JSON | None) -> Faults:
    """All affinities of a pod."""
    given = given or {}
    if given.get("nodeAffinity") is not None:
        yield from _node_affinity(f"{path}.nodeAffinity", given["nodeAffinity"])
    for kind in ("podAffinity", "podAntiAffinity"):
        if given.get(kind) is not None:
            yield from _pod_affinity(f"{path}.{kind}", given[kind])


def _node_affinity(path: str, given: JSON) -> Faults:
    if given.get(_REQUIRED) is not None:
        yield from node_selector(f"{path}.{_REQUIRED}", given[_REQUIRED])
    for index, term in enumerate(given.get(_PREFERRED) or ()):
        where = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight(where, term)
        preference = term.get("preference") or {}
        yield from _term(f"{where}.preference", preference, values_checked=False)


def _weight(path: str, term: JSON) -> Faults:
    weight = term.get("weight") or 0
    if not 0 < weight <= _LARGEST_WEIGHT:
        yield invalid(f"{path}.weight", weight, "must be in the range 1-100")


def node_selector(path: str, given: JSON) -> Faults:
    """Terms of which a node must match one."""
    terms = given.get("nodeSelectorTerms") or []
    if not terms:
        why = "must have at least one node selector term"
        yield required(f"{path}.nodeSelectorTerms", why)
    for index, term in enumerate(terms):
        yield from _term(f"{path}.nodeSelectorTerms[{index}]", term, values_checked=True)


def _term(path: str, term: JSON, *, values_checked: bool) -> Faults:
    for index, requirement in enumerate(term.get("matchExpressions") or ()):
        where = f"{path}.matchExpressions[{index}]"
        yield from _expression(where, requirement, values_checked=values_checked)
    for index, requirement in enumerate(term.get("matchFields") or ()):
        yield from _field(f"{path}.matchFields[{index}]", requirement)


def _expression(path: str, requirement: JSON, *, values_checked: bool) -> Faults:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            yield required(f"{path}.values", why)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield forbidden(f"{path}.values", why)
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield required(f"{path}.values", why)
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from labels.label_name(f"{path}.key", requirement.get("key") or "")
    for index, value in enumerate(values if values_checked else ()):
        yield from each(f"{path}.values[{index}]", value, names.label_value(value))


def _field(path: str, requirement: JSON) -> Faults:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    key = requirement.get("key") or ""
    if operator not in ("In", "NotIn"):
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{path}.values", why)
    if key != "metadata.name":
        yield invalid(f"{path}.key", key, "not a valid field selector key")
        return
    for index, value in enumerate(values):
        yield from each(f"{path}.values[{index}]", value, names.dns_subdomain(value))


def _pod_affinity(path: str, given: JSON) -> Faults:
    for index, term in enumerate(given.get(_REQUIRED) or ()):
        yield from _pod_term(f"{path}.{_REQUIRED}[{index}]", term)
    for index, weighted in enumerate(given.get(_PREFERRED) or ()):
        where = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight(where, weighted)
        yield from _pod_term(f"{where}.podAffinityTerm", weighted.get("podAffinityTerm") or {})


def _pod_term(path: str, term: JSON) -> Faults:
    yield from labels.selector(f"{path}.labelSelector", term.get("labelSelector"))
    yield from labels.selector(f"{path}.namespaceSelector", term.get("namespaceSelector"))
    for name in term.get("namespaces") or ():
        yield from each(f"{path}.namespace", name, names.dns_label(name))
    yield from _merged_keys(path, term)
    key = term.get("topologyKey") or ""
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from labels.label_name(f"{path}.topologyKey", key)


def _merged_keys(path: str, term: JSON) -> Faults:
    """Keys of labels whose values come from the pod, and are in its selector when it is stored."""
    wanted, unwanted = term.get("matchLabelKeys") or [], term.get("mismatchLabelKeys") or []
    selector = term.get("labelSelector")
    for field, keys in (("matchLabelKeys", wanted), ("mismatchLabelKeys", unwanted)):
        if keys and selector is None:
            yield forbidden(
                f"{path}.{field}", "must not be specified when labelSelector is not set"
            )
            continue
        for index, key in enumerate(keys):
            yield from labels.label_name(f"{path}.{field}[{index}]", key)
    if selector is not None:
        seen = set(selector.get("matchLabels") or ())
        for requirement in selector.get("matchExpressions") or ():
            key = requirement.get("key") or ""
            if key in wanted and key in seen:
                index = len(wanted) - 1 - wanted[::-1].index(key)
                why = "exists in both matchLabelKeys and labelSelector"
                yield invalid(f"{path}[{index}]", key, why)
            seen.add(key)
    for index, key in enumerate(wanted):
        if key in unwanted:
            why = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield invalid(f"{path}.matchLabelKeys[{index}]", key, why)


def effect(field: str, value: str) -> Faults:
    """The effect of a taint."""
    yield from one_of(field, value, EFFECTS)


def tolerations(path: str, given: Sequence[JSON]) -> Faults:
    """The tolerations of a pod."""
    for index, toleration in enumerate(given):
        where, key = f"{path}[{index}]", toleration.get("key") or ""
        operator, value = toleration.get("operator") or "", toleration.get("value") or ""
        acts = toleration.get("effect") or ""
        if key:
            yield from labels.label_name(f"{where}.key", key)
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and '
            yield invalid(f"{where}.operator", operator, f'{why}all keys"')
        if toleration.get("tolerationSeconds") is not None and acts != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield invalid(f"{where}.effect", acts, why)
        if operator in ("", "Equal"):
            if wrong := names.label_value(value):
                yield invalid(f"{where}.operator", value, ";".join(wrong))
        elif operator == "Exists":
            if value:
                why = "value must be empty when `operator` is 'Exists'"
                yield invalid(f"{where}.operator", value, why)
        else:
            yield from one_of(f"{where}.operator", operator, ("Equal", "Exists"))
        if acts:
            yield from effect(f"{where}.effect", acts)


def taints(path: str, given: Sequence[JSON]) -> Faults:
    """The taints of a node."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(given):
        where, key = f"{path}[{index}]", taint.get("key") or ""
        value, acts = taint.get("value") or "", taint.get("effect") or ""
        yield from labels.label_name(f"{where}.key", key)
        if wrong := names.label_value(value):
            yield invalid(f"{where}.value", value, ";".join(wrong))
        if not acts:
            yield required(f"{where}.effect")
        else:
            yield from effect(f"{where}.effect", acts)
        if (key, acts) in seen:
            why = "taints must be unique by key and effect pair"
            yield duplicate(where, printed("core.Taint", taint), why)
        seen.add((key, acts))


def spread(path: str, constraints: Sequence[JSON]) -> Faults:
    """The constraints on how pods are spread."""
    for index, constraint in enumerate(constraints):
        where, key = f"{path}[{index}]", constraint.get("topologyKey") or ""
        unsatisfied, selector = constraint.get(_WHEN) or "", constraint.get("labelSelector")
        yield from positive(f"{where}.maxSkew", constraint.get("maxSkew") or 0)
        if not key:
            yield required(f"{where}.topologyKey", "can not be empty")
        yield from one_of(f"{where}.{_WHEN}", unsatisfied, ("DoNotSchedule", "ScheduleAnyway"))
        later = constraints[index + 1 :]
        if any((c.get("topologyKey"), c.get(_WHEN)) == (key, unsatisfied) for c in later):
            yield duplicate(f"{where}.{{topologyKey, {_WHEN}}}", f"{{{key}, {unsatisfied}}}")
        domains = constraint.get("minDomains")
        if domains is not None:
            yield from positive(f"{where}.minDomains", domains)
            if unsatisfied != "DoNotSchedule":
                why = f"can only use minDomains if {_WHEN}=DoNotSchedule, not {unsatisfied}"
                yield invalid(f"{where}.minDomains", domains, why)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(field) is not None:
                yield from one_of(f"{where}.{field}", constraint[field], ("Honor", "Ignore"))
        yield from _merged_keys(where, {**constraint, "mismatchLabelKeys": None})
        yield from labels.selector(f"{where}.labelSelector", selector)


_WHEN = "whenUnsatisfiable"


def only_added_tolerations(path: str, new: Sequence[JSON], old: Sequence[JSON]) -> Faults:
    """Tolerations that have changed: more may come, and their seconds may change."""
    kept = [_bare(toleration) for toleration in new]
    if any(_bare(toleration) not in kept for toleration in old):
        why = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden(path, why)
    else:
        yield from tolerations(path, new)


def _bare(toleration: JSON) -> JSON:
    return {name: value for name, value in toleration.items() if name != "tolerationSeconds"}
