"""RBAC of the operator, made from the table of its permissions.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Iterable, Iterator

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP
from hourglass_operator.permissions import CLUSTER, OWN_NAMESPACE, Permission
from hourglass_operator.runtime.process.settings import RuntimeSettings

NAME = "hourglass-performer-operator"
NAMESPACE = "hourglass-system"

# Not among those that the operator checks at its start: only clusters with the admission plugin
# OwnerReferencesPermissionEnforcement (OpenShift has it) ask for it.
# https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement
OWNERSHIP = Permission(
    GROUP, "performers/finalizers", ("update",), "own objects that hold up a deletion"
)

EVERYWHERE = (*CLUSTER, OWNERSHIP)

LEASE: str = RuntimeSettings.model_fields["lease_name"].default
"""The name of the Lease, unless a setting says another."""


def rbac(
    namespace: str = NAMESPACE,
    name: str = NAME,
    lease: str = LEASE,
    lease_namespace: str | None = None,
) -> list[JSON]:
    """The ServiceAccount of this name in this namespace, its roles and what binds them.

    `lease_namespace`: where the Lease is, when elsewhere.
    """
    account = {"name": name, "namespace": namespace}
    place = {"name": name, "namespace": lease_namespace or namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        *_granted("ClusterRole", rules(EVERYWHERE), {"name": name}, account),
        *_granted("Role", rules(OWN_NAMESPACE, lease), place, account),
    ]


def rules(permissions: Iterable[Permission], lease: str = LEASE) -> list[JSON]:
    """The permissions as PolicyRules, one each; `lease` is the name of the Lease."""
    return [
        {
            "apiGroups": [permission.group],
            "resources": [permission.resource],
            **({"resourceNames": [lease]} if permission.of_lease else {}),
            "verbs": list(permission.verbs),
        }
        for permission in permissions
    ]


def explanation() -> str:
    """YAML comments: a line for each permission and its use."""
    lines = ["#"]
    for permission in (*EVERYWHERE, *OWN_NAMESPACE):
        verbs = ", ".join(permission.verbs)
        lines.append(f"# {verbs} {permission.qualified}: {permission.use}")
    return "\n".join(lines) + "\n"


def _granted(kind: str, granted: list[JSON], metadata: JSON, account: JSON) -> Iterator[JSON]:
    group = "rbac.authorization.k8s.io"
    yield {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": metadata,
        "rules": granted,
    }
    yield {
        "apiVersion": f"{group}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": group, "kind": kind, "name": metadata["name"]},
        "subjects": [{"kind": "ServiceAccount", **account}],
    }
