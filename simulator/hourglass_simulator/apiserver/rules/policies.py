"""ResourceQuotas, LimitRanges and PodDisruptionBudgets.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/policy/validation
"""

from collections.abc import Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import labels, names, numbers, object_meta, resources
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    amount,
    duplicate,
    each,
    forbidden,
    invalid,
    non_negatives,
    one_of,
    required,
)
from hourglass_simulator.apiserver.rules.go_text import printed

_PODS = frozenset(["pods"])
_COMPUTE = frozenset(
    ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"]
)
_CLAIMS = frozenset(["persistentvolumeclaims", "requests.storage"])
_SCOPES: Mapping[str, frozenset[str]] = {
    "Terminating": _PODS | _COMPUTE,
    "NotTerminating": _PODS | _COMPUTE,
    "BestEffort": _PODS,
    "NotBestEffort": _PODS | _COMPUTE,
    "PriorityClass": _PODS | _COMPUTE,
    "CrossNamespacePodAffinity": _PODS | _COMPUTE,
    "VolumeAttributesClass": _CLAIMS,
}
"""The resources that a scope may be of."""
_ONLY_EXISTS = (
    *("BestEffort", "NotBestEffort", "Terminating", "NotTerminating"),
    "CrossNamespacePodAffinity",
)
_CONFLICTS = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_ELSEWHERE = "unsupported scope applied to resource"
_LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")


def quota_created(quota: JSON) -> Faults:
    """What is wrong with a new ResourceQuota."""
    yield from object_meta.created("resourcequotas", quota["metadata"])
    yield from _quota(quota.get("spec") or {})


def _amounts(path: str, amounts: JSON | None) -> Faults:
    for name, value in sorted((amounts or {}).items()):
        field = f"{path}[{name}]"
        yield from resources.quota_resource(field, name)
        yield from resources.resource_value(field, name, value)


def _quota(spec: JSON) -> Faults:
    yield from _amounts("spec.hard", spec.get("hard"))
    hard = sorted(name for name in spec.get("hard") or () if resources.is_quota(name))
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", scopes, "unsupported scope")
        for name in hard:
            if scope in _SCOPES and name not in _SCOPES[scope]:
                yield invalid("spec.scopes", scopes, _ELSEWHERE)
    for pair in _CONFLICTS:
        if pair <= set(scopes):
            yield invalid("spec.scopes", scopes, "conflicting scopes")
    if spec.get("scopeSelector") is not None:
        yield from _scope_selector(spec, hard)


def _scope_selector(spec: JSON, hard: list[str]) -> Faults:
    path, selector = "spec.scopeSelector.matchExpressions", spec["scopeSelector"]
    seen = set()
    for requirement in selector.get("matchExpressions") or ():
        scope, operator = requirement.get("scopeName") or "", requirement.get("operator") or ""
        values = requirement.get("values") or []
        if scope not in _SCOPES:
            yield invalid(f"{path}.scopeName", scope, "unsupported scope")
        for name in hard:
            if scope in _SCOPES and name not in _SCOPES[scope]:
                yield invalid(path, printed("*core.ScopeSelector", selector), _ELSEWHERE)
        if scope in _ONLY_EXISTS and operator != "Exists":
            why = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
            why += "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
            why += "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
            yield invalid(f"{path}.operator", operator, why)
        if operator in ("In", "NotIn"):
            if not values:
                why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
                yield required(f"{path}.values", f"{why}selector")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope "
                yield invalid(f"{path}.values", values, f"{why}selector")
        else:
            yield invalid(f"{path}.operator", operator, "not a valid selector operator")
        seen.add(scope)
    for pair in _CONFLICTS:
        if pair <= seen:
            yield invalid(path, spec.get("scopes") or None, "conflicting scopes")


def quota_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ResourceQuota."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "resourcequotas")
    spec = new.get("spec") or {}
    yield from _quota(spec)
    scopes, before = spec.get("scopes") or [], (old.get("spec") or {}).get("scopes") or []
    if set(scopes) != set(before):
        yield invalid("spec.scopes", scopes or None, "field is immutable")


def quota_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "resourcequotas")
    for kind in ("hard", "used"):
        yield from _amounts(f"status.{kind}", (new.get("status") or {}).get(kind))


def range_created(found: JSON) -> Faults:
    """What is wrong with a LimitRange."""
    yield from object_meta.created("limitranges", found["metadata"])
    seen: set[str] = set()
    for index, limit in enumerate((found.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{index}]", limit.get("type") or ""
        if wrong := names.qualified_name(kind):
            yield from each(f"{path}.type", kind, wrong)
        elif "/" not in kind and kind not in _LIMIT_TYPES:
            why = "must be a standard limit type or fully qualified"
            yield invalid(f"{path}.type", kind, why)
        if kind in seen:
            yield duplicate(f"{path}.type", kind)
        seen.add(kind)
        yield from _limit(path, kind, limit)


def _limit(path: str, kind: str, limit: JSON) -> Faults:
    check = (
        resources.container_resource if kind in ("Pod", "Container") else resources.resource_name
    )
    fields = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"]
    known: set[str] = set()
    for field in fields:
        amounts = limit.get(field) or {}
        if kind == "Pod" and field in ("default", "defaultRequest"):
            if amounts:
                yield forbidden(f"{path}.{field}", "may not be specified when `type` is 'Pod'")
            continue
        if field == "maxLimitRequestRatio" and kind == "PersistentVolumeClaim":
            yield from _sized(path, limit)
        for name in sorted(amounts):
            yield from check(f"{path}.{field}[{name}]", name)
        known |= amounts.keys()
    for name in sorted(known):
        yield from _relations(path, name, {f: (limit.get(f) or {}).get(name) for f in fields})


def _sized(path: str, limit: JSON) -> Faults:
    if not any("storage" in (limit.get(field) or {}) for field in ("min", "max")):
        why = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{path}.limits", why)


def _relations(path: str, name: str, given: Mapping[str, str | None]) -> Faults:
    least, most, default = given["min"], given["max"], given["default"]
    request, ratio = given["defaultRequest"], given["maxLimitRequestRatio"]

    def above(first: str | None, second: str | None) -> bool:
        return first is not None and second is not None and amount(first) > amount(second)

    field = f"defaultRequest[{name}]"
    for wrong, where, value, why in (
        (
            above(least, most),
            f"min[{name}]",
            least,
            f"min value {least} is greater than max value {most}",
        ),
        (
            above(least, request),
            field,
            request,
            f"min value {least} is greater than default request value {request}",
        ),
        (
            above(request, most),
            field,
            request,
            f"default request value {request} is greater than max value {most}",
        ),
        (
            above(request, default),
            field,
            request,
            f"default request value {request} is greater than default limit value {default}",
        ),
        (
            above(least, default),
            f"default[{name}]",
            least,
            f"min value {least} is greater than default value {default}",
        ),
        (
            above(default, most),
            f"default[{name}]",
            most,
            f"default value {default} is greater than max value {most}",
        ),
    ):
        if wrong:
            yield invalid(f"{path}.{where}", value, why)
    if ratio is not None:
        where = f"{path}.maxLimitRequestRatio[{name}]"
        if amount(ratio) < 1:
            yield invalid(where, ratio, f"ratio {ratio} is less than 1")
        if least is not None and most is not None and amount(least):
            bound = amount(most) / amount(least)
            if amount(ratio) > bound:
                why = f"ratio {ratio} is greater than max/min = {float(bound):.6f}"
                yield invalid(where, ratio, why)
    if default is None or request is None or resources.may_be_overcommitted(name):
        return
    if amount(default) != amount(request):
        why = f"default value {default} must equal to defaultRequest value {request} in {name}"
        yield invalid(f"{path}.{field}", request, why)


def range_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed LimitRange."""
    yield from range_created(new)


def budget_created(budget: JSON) -> Faults:
    """What is wrong with a PodDisruptionBudget; of its metadata only what is true of all kinds."""
    yield from object_meta.created("poddisruptionbudgets", budget["metadata"])
    yield from _budget(budget.get("spec") or {})


def _budget(spec: JSON) -> Faults:
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        why = "minAvailable and maxUnavailable cannot be both set"
        yield invalid("spec", printed("policy.PodDisruptionBudgetSpec", spec), why)
    for field in ("minAvailable", "maxUnavailable"):
        if spec.get(field) is not None:
            yield from numbers.number_or_percent(f"spec.{field}", spec[field])
            yield from numbers.at_most_all(f"spec.{field}", spec[field])
    yield from labels.selector("spec.selector", spec.get("selector"))
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None:
        known = ("AlwaysAllow", "IfHealthyBudget")
        yield from one_of("spec.unhealthyPodEvictionPolicy", policy, known)


def budget_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed PodDisruptionBudget."""
    yield from _budget(new.get("spec") or {})


def budget_status(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed status."""
    status = new.get("status") or {}
    yield from labels.conditions("status.conditions", status.get("conditions"))
    counts = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    yield from non_negatives("status", status, *counts)
