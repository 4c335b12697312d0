"""Authorization by roles and their bindings.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/plugin/pkg/auth/authorizer/rbac/rbac.go
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.authorization import Attributes, Decision, is_master
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.users import User, account_name

GROUP = "rbac.authorization.k8s.io"


class _Found(NamedTuple):
    """A rule with the text that says where it comes from, or the text of an error."""

    source: str = ""
    rule: JSON | None = None
    error: str = ""


class RBAC:
    """Decides by the Roles, ClusterRoles and bindings of the store as they are when it is asked.

    `prefix` is what comes before its errors.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def decide(self, asked: Attributes) -> Decision:
        """Allowed by the first rule that allows it; members of system:masters may everything."""
        if is_master(asked.user):
            return Decision(True)
        errors = []
        for found in self._visit(asked.user, asked.namespace):
            if found.error:
                errors.append(found.error)
            elif found.rule is not None and allows(found.rule, asked):
                return Decision(True, f"RBAC: allowed by {found.source}")
        return Decision(False, f"{self._prefix}RBAC: {_aggregate(errors)}" if errors else "")

    def rules(self, user: User, namespace: str) -> tuple[list[JSON], str]:
        """All rules of a user, and the errors on the way as one text."""
        found = list(self._visit(user, namespace))
        rules = [each.rule for each in found if each.rule is not None]
        errors = [each.error for each in found if each.error]
        return rules, _aggregate(errors) if errors else ""

    def role_rules(self, reference: JSON, namespace: str) -> Sequence[JSON] | None:
        """The rules of the role that a binding refers to; None when there is no such role."""
        cluster = reference["kind"] == "ClusterRole"
        table = self._store.table("clusterroles" if cluster else "roles")
        found = table and table.find("" if cluster else namespace, reference["name"])
        return None if not found else found.get("rules") or ()

    def _visit(self, user: User, namespace: str) -> Iterator[_Found]:
        yield from self._bound("clusterrolebindings", user, "")
        if namespace:
            yield from self._bound("rolebindings", user, namespace)

    def _bound(self, plural: str, user: User, namespace: str) -> Iterator[_Found]:
        table = self._store.table(plural)
        for binding in table.all(namespace) if table else ():
            subjects = binding.get("subjects") or ()
            subject = next((s for s in subjects if _applies(s, user, namespace)), None)
            if subject is None:
                continue
            reference = binding["roleRef"]
            rules = self.role_rules(reference, namespace)
            if rules is None:
                kind, name = reference["kind"].lower(), reference["name"]
                yield _Found(error=f'{kind}.{GROUP} "{name}" not found')
                continue
            source = _source(binding, subject, namespace)
            for rule in rules:
                yield _Found(source, rule)


def allows(rule: JSON, asked: Attributes) -> bool:
    """Whether a rule lets a user do what is asked."""
    if not _has(rule, "verbs", asked.verb):
        return False
    if asked.path:
        urls = rule.get("nonResourceURLs") or ()
        return any(_url_matches(url, asked.path) for url in urls)
    if not _has(rule, "apiGroups", asked.group):
        return False
    resources = rule.get("resources") or ()
    accepted = {"*", asked.whole_resource}
    if asked.subresource:
        accepted.add(f"*/{asked.subresource}")
    if not any(resource in accepted for resource in resources):
        return False
    names = rule.get("resourceNames")
    return not names or asked.name in names


def _has(rule: JSON, field: str, wanted: str) -> bool:
    listed = rule.get(field) or ()
    return "*" in listed or wanted in listed


def _url_matches(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*")))


def _applies(subject: JSON, user: User, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(user.name == name)
    if kind == "Group":
        return name in user.groups
    if kind == "ServiceAccount":
        own = subject.get("namespace") or namespace
        return bool(own) and user.name == account_name(own, name)
    return False


def _source(binding: JSON, subject: JSON, namespace: str) -> str:
    name = binding["metadata"]["name"]
    bound = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
    reference = binding["roleRef"]
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    role = f'{reference["kind"]} "{reference["name"]}"'
    return f'{bound} of {role} to {subject["kind"]} "{who}"'


def _aggregate(errors: Sequence[str]) -> str:
    texts = list(dict.fromkeys(errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
