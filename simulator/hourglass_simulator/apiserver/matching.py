"""Which writes an admission policy or webhook is asked about.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/matching/matching.go
"""

from collections.abc import Sequence
from typing import Final

from hourglass_kube import selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.write import Write

_GROUP: Final = "admissionregistration.k8s.io"


def is_exempt(write: Write) -> bool:
    """Nothing is asked about what configures admission, so that it can always be repaired."""
    return write.resource.group == _GROUP


def concerns(rules: Sequence[JSON], write: Write) -> bool:
    """Whether any rule is about such a write."""
    return any(_concerns(rule, write) for rule in rules)


def selects(source: JSON, write: Write, store: Store) -> bool:
    """Whether `namespaceSelector` and `objectSelector` select a write."""
    wanted = source.get("objectSelector")
    if wanted and not any(
        selector.matches(wanted, obj["metadata"].get("labels") or {})
        for obj in (write.new, write.old)
        if obj is not None
    ):
        return False
    wanted = source.get("namespaceSelector")
    if not wanted:
        return True
    if write.resource.qualified == "namespaces":
        labels = write.obj["metadata"].get("labels") or {}
    elif not write.namespace:
        return True
    else:
        table = store.table("namespaces")
        found = table.find("", write.namespace) if table is not None else None
        labels = (found or {"metadata": {}})["metadata"].get("labels") or {}
    return selector.matches(wanted, labels)


def _concerns(rule: JSON, write: Write) -> bool:
    resource = write.resource
    scope = rule.get("scope") or "*"
    names = rule.get("resourceNames")
    return (
        _has(rule, "apiGroups", resource.group)
        and _has(rule, "apiVersions", resource.version)
        and _has(rule, "operations", write.operation)
        and any(_names(each, write) for each in rule.get("resources") or ())
        and scope in ("*", "Namespaced" if resource.namespaced else "Cluster")
        and (not names or write.name in names)
    )


def _has(rule: JSON, field: str, value: str) -> bool:
    listed = rule.get(field) or ()
    return "*" in listed or value in listed


def _names(pattern: str, write: Write) -> bool:
    plural, _, subresource = pattern.partition("/")
    if plural not in ("*", write.resource.plural):
        return False
    # `*` is every resource without its subresources, `*/*` is everything.
    return subresource == write.subresource or subresource == "*"
