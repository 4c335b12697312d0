"""FlowSchemas and PriorityLevelConfigurations.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/flowcontrol/validation/validation.go
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, log2

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import names, object_meta
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    FieldError,
    duplicate,
    each,
    forbidden,
    in_range,
    invalid,
    not_supported,
    one_of,
    required,
)
from hourglass_simulator.apiserver.rules.go_text import printed

_GROUP = "flowcontrol"
_VERBS = (
    *("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"),
)
_SUBJECTS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
_ORDER = {
    "Group": ("ServiceAccount", "User"),
    "ServiceAccount": ("User", "Group"),
    "User": ("ServiceAccount", "Group"),
}
"""What a subject of a kind may not have, in the order of the complaints."""
_METHODS = ("ByNamespace", "ByUser")
_MOST_PRECEDENCE, _MOST_QUEUES, _MOST_BITS = 10_000, 10_000_000, 60
_NAMESPACE = "each member of this list must be '*' or a DNS-1123 label; "
_ANNOTATION = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"
_CATCH_ALL_LEVEL: JSON = {
    "type": "Limited",
    "limited": {
        "nominalConcurrencyShares": 5,
        "lendablePercent": 0,
        "limitResponse": {"type": "Reject"},
    },
}


def schema_created(found: JSON) -> Faults:
    """What is wrong with a new FlowSchema."""
    yield from object_meta.created("flowschemas", found["metadata"])
    yield from _schema(found)


def schema_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed FlowSchema; nothing of it has to stay as it was."""
    yield from schema_created(new)


def level_created(found: JSON) -> Faults:
    """What is wrong with a new PriorityLevelConfiguration."""
    yield from object_meta.created("prioritylevelconfigurations", found["metadata"])
    if _ANNOTATION in (found["metadata"].get("annotations") or {}):
        yield forbidden("metadata.annotations", f"annotation '{_ANNOTATION}' is forbidden")
    spec, name = found.get("spec") or {}, found["metadata"].get("name", "")
    yield from _level("spec", spec, name)
    yield from _mandatory_level("spec", spec, name)
    yield from _conditions(found)
    if gates.since(37):
        yield from _declared("spec", spec)


def level_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed PriorityLevelConfiguration."""
    yield from level_created(new)


def status(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed status of either."""
    yield from _conditions(new)


def _schema(found: JSON) -> Faults:
    spec, name, path = found.get("spec") or {}, found["metadata"].get("name", ""), "spec"
    precedence, field = spec.get("matchingPrecedence") or 0, f"{path}.matchingPrecedence"
    if precedence <= 0:
        yield invalid(field, precedence, "must be a positive value")
    if precedence > _MOST_PRECEDENCE:
        yield invalid(field, precedence, f"must not be greater than {_MOST_PRECEDENCE}")
    if precedence == 1 and name != "exempt":
        why = "only the schema named 'exempt' may have matchingPrecedence 1"
        yield invalid(field, precedence, why)
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in _METHODS:
        shown = printed(f"{_GROUP}.FlowDistinguisherMethod", method)
        yield not_supported(f"{path}.distinguisherMethod.type", shown, _METHODS)
    level = (spec.get("priorityLevelConfiguration") or {}).get("name") or ""
    field = f"{path}.priorityLevelConfiguration.name"
    if level:
        yield from each(field, level, names.dns_subdomain(level))
    else:
        yield required(field, "must reference a priority level")
    for index, rule in enumerate(spec.get("rules") or ()):
        yield from _rule(f"{path}.rules[{index}]", rule)
    if name in ("exempt", "catch-all") and not _is_mandatory(spec, name):
        shown = printed(f"{_GROUP}.FlowSchemaSpec", spec)
        yield invalid(path, shown, f"spec of '{name}' must equal the fixed value")
    yield from _conditions(found)


def _is_mandatory(spec: JSON, name: str) -> bool:
    """Whether the spec of a schema that every server has is as it must be.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap/default.go
    """
    everything: JSON = {
        "resourceRules": [
            {
                "verbs": ["*"],
                "apiGroups": ["*"],
                "resources": ["*"],
                "clusterScope": True,
                "namespaces": ["*"],
            }
        ],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }
    groups = ["system:masters"] if name == "exempt" else _EVERYBODY
    subjects = [{"kind": "Group", "group": {"name": group}} for group in groups]
    wanted: JSON = {
        "matchingPrecedence": 1 if name == "exempt" else _MOST_PRECEDENCE,
        "priorityLevelConfiguration": {"name": name},
        "rules": [{"subjects": subjects, **everything}],
    }
    if name == "catch-all":
        wanted["distinguisherMethod"] = {"type": "ByUser"}
    return bool(spec == wanted)


_EVERYBODY = ("system:unauthenticated", "system:authenticated")


def _rule(path: str, rule: JSON) -> Faults:
    subjects = rule.get("subjects") or ()
    for index, subject in enumerate(subjects):
        yield from _subject(f"{path}.subjects[{index}]", subject)
    if not subjects:
        yield required(f"{path}.subjects", "subjects must contain at least one value")
    resources, others = rule.get("resourceRules") or (), rule.get("nonResourceRules") or ()
    if not resources and not others:
        why = "at least one of resourceRules and nonResourceRules has to be non-empty"
        yield required(path, why)
    for index, given in enumerate(resources):
        yield from _resource_rule(f"{path}.resourceRules[{index}]", given)
    for index, given in enumerate(others):
        yield from _path_rule(f"{path}.nonResourceRules[{index}]", given)


def _subject(path: str, subject: JSON) -> Faults:
    kind = subject.get("kind") or ""
    if kind not in _SUBJECTS:
        yield not_supported(f"{path}.kind", kind, sorted(_SUBJECTS))
        return
    field = _SUBJECTS[kind]
    given, where = subject.get(field), f"{path}.{field}"
    if given is None:
        yield required(where, f"{field} is required when subject kind is '{kind}'")
    elif kind == "ServiceAccount":
        yield from _account(where, given)
    elif not given.get("name"):
        yield required(f"{where}.name")
    for other in _ORDER[kind]:
        name = _SUBJECTS[other]
        if subject.get(name) is not None:
            yield forbidden(
                f"{path}.{name}", f"{name} is forbidden when subject kind is not '{other}'"
            )


def _account(path: str, given: JSON) -> Faults:
    name, namespace = given.get("name") or "", given.get("namespace") or ""
    if not name:
        yield required(f"{path}.name")
    elif name != "*":
        yield from each(f"{path}.name", name, names.dns_subdomain(name))
    if namespace:
        yield from each(f"{path}.namespace", namespace, names.dns_label(namespace))
    else:
        yield required(f"{path}.namespace", "must specify namespace for service account")


def _verbs(path: str, verbs: Sequence[str]) -> Faults:
    if not verbs:
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    elif "*" in verbs:
        if len(verbs) > 1:
            why = "if '*' is present, must not specify other verbs"
            yield invalid(f"{path}.verbs", list(verbs), why)
    elif not set(verbs) <= set(_VERBS):
        yield not_supported(f"{path}.verbs", list(verbs), _VERBS)


def _path_rule(path: str, rule: JSON) -> Faults:
    yield from _verbs(path, rule.get("verbs") or ())
    paths, field = rule.get("nonResourceURLs") or (), f"{path}.nonResourceURLs"
    if not paths:
        yield required(field, "nonResourceURLs must contain at least one value")
    elif "*" in paths:
        if len(paths) > 1:
            why = "if '*' is present, must not specify other non-resource URLs"
            yield invalid(field, list(paths), why)
    else:
        for index, url in enumerate(paths):
            if why := _path_fault(url):
                yield invalid(f"{field}[{index}]", url, why)


def _path_fault(url: str) -> str:
    checks = (
        (not url, "must not be empty"),
        (not url.startswith("/"), "must start with slash"),
        (" " in url, "must not contain white-space"),
        ("//" in url, "must not contain double slash"),
        (
            url.count("*") > 1 or ("*" in url and not url.endswith("/*")),
            "wildcard can only do suffix matching",
        ),
    )
    return next((why for wrong, why in checks if wrong), "")


def _resource_rule(path: str, rule: JSON) -> Faults:
    yield from _verbs(path, rule.get("verbs") or ())
    for field, missing, others in (
        ("apiGroups", "resource rules must supply at least one api group", "api groups"),
        ("resources", "resource rules must supply at least one resource", "resources"),
    ):
        given = rule.get(field) or ()
        if not given:
            yield required(f"{path}.{field}", missing)
        elif len(given) > 1 and "*" in given:
            why = f"if '*' is present, must not specify other {others}"
            yield invalid(f"{path}.{field}", list(given), why)
    namespaces, field = rule.get("namespaces") or (), f"{path}.namespaces"
    if not namespaces and not rule.get("clusterScope"):
        why = "resource rules that are not cluster scoped must supply at least one namespace"
        yield required(field, why)
    elif "*" in namespaces:
        if len(namespaces) > 1:
            why = "if '*' is present, must not specify other namespaces"
            yield invalid(field, list(namespaces), why)
    else:
        for index, name in enumerate(namespaces):
            found = (f"{_NAMESPACE}{why}" for why in names.dns_label(name))
            yield from each(f"{field}[{index}]", name, found)


def _conditions(found: JSON) -> Faults:
    seen: set[str] = set()
    for index, condition in enumerate((found.get("status") or {}).get("conditions") or ()):
        field, kind = f"status.conditions[{index}].type", condition.get("type") or ""
        if kind in seen:
            yield duplicate(field, kind)
        seen.add(kind)
        if not kind:
            yield required(field)


def _level(path: str, spec: JSON, name: str) -> Faults:
    kind, limited, exempt = spec.get("type") or "", spec.get("limited"), spec.get("exempt")
    if (name == "exempt") != (kind == "Exempt"):
        why = "must be 'Exempt' if and only if `name` is 'exempt'"
        yield invalid(f"{path}.type", kind, why)
    declared = gates.since(37)
    if kind == "Exempt":
        if limited is not None and not declared:
            why = "must be nil if the type is not Limited"
            yield forbidden(f"{path}.limited", why)
        yield from _shares(f"{path}.exempt", exempt or {})
    elif kind == "Limited":
        if exempt is not None and not declared:
            yield forbidden(f"{path}.exempt", "must be nil if the type is Limited")
        if limited is not None:
            yield from _limited(f"{path}.limited", limited)
        elif not declared:
            yield required(f"{path}.limited", "must not be empty when type is Limited")
    elif kind or not declared:
        yield from one_of(f"{path}.type", kind, ("Exempt", "Limited"))


def _declared(path: str, spec: JSON) -> Faults:
    """What 1.37 declares of a level: these errors come after all others."""
    kinds, limited = {"Exempt": "exempt", "Limited": "limited"}, spec.get("limited")
    yield from _union(path, spec.get("type") or "", spec, kinds, "Limited")
    if limited is not None:
        response = limited.get("limitResponse") or {}
        where, kind = f"{path}.limited.limitResponse", response.get("type") or ""
        yield from _union(where, kind, response, {"Queue": "queuing"}, "Queue")


def _union(
    path: str, kind: str, given: JSON, members: Mapping[str, str], needed: str
) -> Iterator[FieldError]:
    """A type, and the fields that are there for one type each; that of `needed` must be there."""
    for of, field in members.items():
        value = given.get(field)
        if value is not None and kind != of:
            yield forbidden(f"{path}.{field}", "")
        elif value is None and kind == of == needed:
            yield required(f"{path}.{field}")
    if not kind:
        yield required(f"{path}.type")


def _shares(path: str, given: JSON) -> Faults:
    if (given.get("nominalConcurrencyShares") or 0) < 0:
        field, why = f"{path}.nominalConcurrencyShares", "must be a non-negative integer"
        yield invalid(field, given["nominalConcurrencyShares"], why)
    yield from _lendable(path, given)


def _lendable(path: str, given: JSON) -> Faults:
    percent = given.get("lendablePercent")
    if percent is not None and not 0 <= percent <= 100:
        yield invalid(f"{path}.lendablePercent", percent, in_range(0, 100))


def _limited(path: str, given: JSON) -> Faults:
    shares = given.get("nominalConcurrencyShares") or 0
    if shares < 0:
        why = "must be a non-negative integer"
        yield invalid(f"{path}.nominalConcurrencyShares", shares, why)
    response, where = given.get("limitResponse") or {}, f"{path}.limitResponse"
    kind, queuing = response.get("type") or "", response.get("queuing")
    declared = gates.since(37)
    if kind == "Reject":
        if queuing is not None and not declared:
            why = "must be nil if limited.limitResponse.type is not Limited"
            yield forbidden(f"{where}.queuing", why)
    elif kind == "Queue":
        if queuing is not None:
            yield from _queuing(f"{where}.queuing", queuing)
        elif not declared:
            why = "must not be empty if limited.limitResponse.type is Limited"
            yield required(f"{where}.queuing", why)
    elif kind or not declared:
        yield from one_of(f"{where}.type", kind, ("Queue", "Reject"))
    yield from _lendable(path, given)
    borrowed = given.get("borrowingLimitPercent")
    if borrowed is not None and borrowed < 0:
        why = "if specified, must be a non-negative integer"
        yield invalid(f"{path}.borrowingLimitPercent", borrowed, why)


def _queuing(path: str, given: JSON) -> Faults:
    length, queues, hand = (
        given.get(field) or 0 for field in ("queueLengthLimit", "queues", "handSize")
    )
    if length <= 0:
        yield invalid(f"{path}.queueLengthLimit", length, "must be positive")
    if queues <= 0:
        yield invalid(f"{path}.queues", queues, "must be positive")
    elif queues > _MOST_QUEUES:
        yield invalid(f"{path}.queues", queues, f"must not be greater than {_MOST_QUEUES}")
    if hand <= 0:
        yield invalid(f"{path}.handSize", hand, "must be positive")
    elif hand > queues:
        why = f"should not be greater than queues ({queues})"
        yield invalid(f"{path}.handSize", hand, why)
    elif _bits(queues, hand) > _MOST_BITS:
        why = f"required entropy bits of deckSize {queues} and handSize {hand} should not be"
        yield invalid(f"{path}.handSize", hand, f"{why} greater than {_MOST_BITS}")


def _bits(deck: int, hand: int) -> int:
    """https://pkg.go.dev/k8s.io/apiserver/pkg/util/shufflesharding#RequiredEntropyBits"""
    return ceil(log2(deck) * hand)


def _mandatory_level(path: str, spec: JSON, name: str) -> Faults:
    shown = printed(f"{_GROUP}.PriorityLevelConfigurationSpec", spec)
    if name == "exempt" and {k: v for k, v in spec.items() if k != "exempt"} != {"type": "Exempt"}:
        why = f"spec of '{name}' except the 'spec.exempt' field must equal the fixed value"
        yield invalid(path, shown, why)
    if name == "catch-all" and spec != _CATCH_ALL_LEVEL:
        yield invalid(path, shown, f"spec of '{name}' must equal the fixed value")
