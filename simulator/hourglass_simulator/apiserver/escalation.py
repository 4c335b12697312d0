"""Nobody grants what he does not have, unless he may `escalate` or `bind`.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.authorization import Attributes, is_master
from hourglass_simulator.apiserver.rbac import GROUP, RBAC
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import quoted
from hourglass_simulator.apiserver.users import User

_ROLES = ("clusterroles", "roles")
_BINDINGS = ("clusterrolebindings", "rolebindings")
_EVERYTHING: Sequence[JSON] = (
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
)
_LISTS = ("apiGroups", "resources", "nonResourceURLs", "resourceNames", "verbs")
"""The fields of a rule in the order in which messages name them."""


def check(rbac: RBAC, user: User, resource: Resource, new: JSON, old: JSON | None) -> None:
    """403 when a role or a binding would give more than the user has."""
    if resource.group != GROUP or is_master(user):
        return
    if old is not None and _only_for_the_garbage_collector(new, old):
        return
    meta = new["metadata"]
    name, namespace = meta["name"], meta.get("namespace", "")
    if resource.plural in _ROLES:
        asked = Attributes(user, "escalate", GROUP, resource.plural, "", namespace, name)
        # The name of a new object is not in its request.
        asked = replace(asked, name="") if old is None else asked
        if rbac.decide(asked).allowed:
            return
        _confirm(rbac, user, resource, name, namespace, new.get("rules") or ())
        if _aggregates(new) or (old is not None and _aggregates(old)):
            why = "must have cluster-admin privileges to use the aggregationRule"
            if _missing(rbac, user, namespace, _EVERYTHING):
                raise errors.forbidden(resource, name, why)
    elif resource.plural in _BINDINGS:
        reference = new["roleRef"]
        plural = f"{reference['kind'].lower()}s"
        asked = Attributes(user, "bind", GROUP, plural, "", namespace, reference["name"])
        if rbac.decide(asked).allowed:
            return
        rules = rbac.role_rules(reference, namespace)
        if rules is None:
            raise errors.not_found(resource, reference["name"])
        _confirm(rbac, user, resource, name, namespace, rules)


def _confirm(
    rbac: RBAC, user: User, resource: Resource, name: str, namespace: str, rules: Sequence[JSON]
) -> None:
    missing = _missing(rbac, user, namespace, rules)
    if not missing:
        return
    groups = " ".join(quoted(group) for group in user.groups)
    lines = "\n".join(sorted({_described(rule) for rule in _compact(missing)}))
    why = f"user {quoted(user.name)} (groups=[{groups}]) is attempting to grant RBAC permissions"
    why += f" not currently held:\n{lines}"
    if found := rbac.rules(user, namespace)[1]:
        why += f"; resolution errors: [{found}]"
    raise errors.forbidden(resource, name, why)


def _missing(rbac: RBAC, user: User, namespace: str, rules: Sequence[JSON]) -> list[JSON]:
    held, _ = rbac.rules(user, namespace)
    parts = [part for rule in rules for part in _parts(rule)]
    return [part for part in parts if not any(_covers(own, part) for own in held)]


def _parts(rule: JSON) -> Iterator[JSON]:
    """A rule as rules of one verb, one resource and at most one name each."""
    verbs = rule.get("verbs") or ()
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                part = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                names = rule.get("resourceNames")
                if not names:
                    yield part
                for name in names or ():
                    yield {**part, "resourceNames": [name]}
    for url in rule.get("nonResourceURLs") or ():
        for verb in verbs:
            yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(own: JSON, part: JSON) -> bool:
    names, wanted = own.get("resourceNames") or (), part.get("resourceNames") or ()
    return (
        _all_in(own, part, "verbs")
        and _all_in(own, part, "apiGroups")
        and all(_resource_covered(own, each) for each in part.get("resources") or ())
        and all(_url_covered(own, each) for each in part.get("nonResourceURLs") or ())
        and (not names or (bool(wanted) and set(wanted) <= set(names)))
    )


def _all_in(own: JSON, part: JSON, field: str) -> bool:
    held = own.get(field) or ()
    return "*" in held or set(part.get(field) or ()) <= set(held)


def _resource_covered(own: JSON, resource: str) -> bool:
    held = own.get("resources") or ()
    _, slash, subresource = resource.partition("/")
    return "*" in held or resource in held or (bool(slash) and f"*/{subresource}" in held)


def _url_covered(own: JSON, url: str) -> bool:
    return any(
        held == url or (held.endswith("*") and url.startswith(held.rstrip("*")))
        for held in own.get("nonResourceURLs") or ()
    )


def _compact(rules: Sequence[JSON]) -> Iterator[JSON]:
    """The same rules, those that differ by nothing but their verb in one."""
    simple: dict[tuple[str, ...], JSON] = {}
    for rule in rules:
        if "resources" not in rule:
            yield rule
            continue
        key = (*rule["apiGroups"], *rule["resources"], *rule.get("resourceNames", ()))
        if key in simple:
            simple[key]["verbs"].extend(rule["verbs"])
        else:
            simple[key] = {**rule, "verbs": list(rule["verbs"])}
    yield from simple.values()


def _described(rule: JSON) -> str:
    parts = []
    for field in _LISTS:
        if listed := rule.get(field):
            name = "APIGroups" if field == "apiGroups" else field[0].upper() + field[1:]
            parts.append(f"{name}:[{' '.join(quoted(each) for each in listed)}]")
    return "{" + ", ".join(parts) + "}"


def _aggregates(role: JSON) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _only_for_the_garbage_collector(new: JSON, old: JSON) -> bool:
    ignored = ("ownerReferences", "finalizers", "resourceVersion", "managedFields")
    kept = [
        {
            **each,
            "metadata": {k: v for k, v in each["metadata"].items() if k not in ignored},
        }
        for each in (new, old)
    ]
    return kept[0] == kept[1]
