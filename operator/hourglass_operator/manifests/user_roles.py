"""Roles for those who use Performers, part of the roles that every cluster has.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
"""

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, PLURAL

VIEWER = "hourglass-performer-viewer"
EDITOR = "hourglass-performer-editor"

_READ = ("get", "list", "watch")
_WRITE = ("create", "update", "patch", "delete", "deletecollection")


def user_roles() -> list[JSON]:
    """Who may `view` a namespace sees its Performers; who may `edit` it writes them, too."""
    performers = _rule(PLURAL, *_READ)
    status = _rule(f"{PLURAL}/status", "get")
    return [
        _role(VIEWER, ("view", "edit", "admin"), [performers, status]),
        _role(EDITOR, ("edit", "admin"), [performers, status, _rule(PLURAL, *_WRITE)]),
    ]


def _rule(resource: str, *verbs: str) -> JSON:
    return {"apiGroups": [GROUP], "resources": [resource], "verbs": list(verbs)}


def _role(name: str, whole: tuple[str, ...], rules: list[JSON]) -> JSON:
    labels = {f"rbac.authorization.k8s.io/aggregate-to-{each}": "true" for each in whole}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": labels},
        "rules": rules,
    }
