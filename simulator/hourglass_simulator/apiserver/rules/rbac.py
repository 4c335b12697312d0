"""Roles and their bindings.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/rbac/validation
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import labels, names, object_meta
from hourglass_simulator.apiserver.rules.fault import (
    IMMUTABLE,
    Faults,
    each,
    invalid,
    not_supported,
    one_of,
    required,
)
from hourglass_simulator.apiserver.rules.go_text import printed

GROUP = "rbac.authorization.k8s.io"


def role_created(role: JSON) -> Faults:
    """What is wrong with a new Role."""
    yield from object_meta.created("roles", role["metadata"])
    yield from _rules(role, namespaced=True)


def role_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed Role: Kubernetes looks at it twice."""
    yield from role_created(new)
    yield from role_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"], "roles")


def cluster_role_created(role: JSON) -> Faults:
    """What is wrong with a new ClusterRole."""
    yield from object_meta.created("clusterroles", role["metadata"])
    yield from _rules(role, namespaced=False)
    aggregation, path = role.get("aggregationRule"), "aggregationRule.clusterRoleSelectors"
    if aggregation is None:
        return
    if not aggregation.get("clusterRoleSelectors"):
        why = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        yield required(path, why)
    for index, selector in enumerate(aggregation.get("clusterRoleSelectors") or ()):
        yield from labels.selector(f"{path}[{index}]", selector)
        if not labels.usable(selector):
            yield invalid(f"{path}[{index}]", None, "invalid label selector.")


def cluster_role_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ClusterRole: Kubernetes looks at it twice."""
    yield from cluster_role_created(new)
    yield from cluster_role_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"], "clusterroles")


def _rules(role: JSON, *, namespaced: bool) -> Faults:
    for index, rule in enumerate(role.get("rules") or ()):
        path, urls = f"rules[{index}]", rule.get("nonResourceURLs") or []
        if not rule.get("verbs"):
            yield required(f"{path}.verbs", "verbs must contain at least one value")
        if urls:
            if namespaced:
                why = "namespaced rules cannot apply to non-resource URLs"
                yield invalid(f"{path}.nonResourceURLs", urls, why)
            if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
                why = "rules cannot apply to both regular resources and non-resource URLs"
                yield invalid(f"{path}.nonResourceURLs", urls, why)
            continue
        if not rule.get("apiGroups"):
            why = "resource rules must supply at least one api group"
            yield required(f"{path}.apiGroups", why)
        if not rule.get("resources"):
            why = "resource rules must supply at least one resource"
            yield required(f"{path}.resources", why)


def binding_created(binding: JSON) -> Faults:
    """What is wrong with a new RoleBinding."""
    yield from object_meta.created("rolebindings", binding["metadata"])
    yield from _binding(binding, ("Role", "ClusterRole"), namespaced=True)


def cluster_binding_created(binding: JSON) -> Faults:
    """What is wrong with a new ClusterRoleBinding."""
    yield from object_meta.created("clusterrolebindings", binding["metadata"])
    yield from _binding(binding, ("ClusterRole",), namespaced=False)


def _binding(binding: JSON, kinds: tuple[str, ...], *, namespaced: bool) -> Faults:
    role = binding.get("roleRef") or {}
    yield from one_of("roleRef.apiGroup", role.get("apiGroup") or "", (GROUP,))
    yield from one_of("roleRef.kind", role.get("kind") or "", kinds)
    name = role.get("name") or ""
    if not name:
        yield required("roleRef.name")
    else:
        yield from each("roleRef.name", name, names.path_segment(name))
    for index, subject in enumerate(binding.get("subjects") or ()):
        yield from _subject(f"subjects[{index}]", subject, namespaced=namespaced)


def _subject(path: str, subject: JSON, *, namespaced: bool) -> Faults:
    name, kind = subject.get("name") or "", subject.get("kind") or ""
    group = subject.get("apiGroup") or ""
    if not name:
        yield required(f"{path}.name")
    if kind == "ServiceAccount":
        if name:
            yield from each(f"{path}.name", name, names.dns_subdomain(name))
        if group:
            yield not_supported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield required(f"{path}.namespace")
    elif kind in ("User", "Group"):
        yield from one_of(f"{path}.apiGroup", group, (GROUP,))
    else:
        yield not_supported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"))


def binding_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed RoleBinding: Kubernetes looks at it twice."""
    yield from binding_created(new)
    yield from binding_created(new)
    yield from _same_role(new, old)


def cluster_binding_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ClusterRoleBinding: Kubernetes looks at it twice."""
    yield from cluster_binding_created(new)
    yield from cluster_binding_created(new)
    yield from _same_role(new, old)


def _same_role(new: JSON, old: JSON) -> Faults:
    yield from object_meta.updated(new["metadata"], old["metadata"], "rolebindings")
    if new.get("roleRef") != old.get("roleRef"):
        shown = printed("rbac.RoleRef", new.get("roleRef"))
        why = IMMUTABLE if gates.since(37) else "cannot change roleRef"
        yield invalid("roleRef", shown, why)
