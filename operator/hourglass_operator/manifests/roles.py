"""RBAC of the operator, made from the table of its permissions.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Iterable, Iterator
from typing import Any

from hourglass_operator.api import GROUP
from hourglass_operator.permissions import CLUSTER, OWN_NAMESPACE, Permission

JSON = dict[str, Any]

NAME = "hourglass-performer-operator"
NAMESPACE = "hourglass-system"

# Not among those that the operator checks at its start: only clusters with the admission plugin
# OwnerReferencesPermissionEnforcement (OpenShift has it) ask for it.
# https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement
OWNERSHIP = Permission(
    GROUP, "performers/finalizers", ("update",), "own objects that hold up a deletion"
)

EVERYWHERE = (*CLUSTER, OWNERSHIP)


def rbac() -> list[JSON]:
    """The ServiceAccount, its roles and what binds them."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
        },
        *_granted("ClusterRole", EVERYWHERE, {"name": NAME}),
        *_granted("Role", OWN_NAMESPACE, {"name": NAME, "namespace": NAMESPACE}),
    ]


def explained() -> Iterator[str]:
    """A line for each permission and its use."""
    for permission in (*EVERYWHERE, *OWN_NAMESPACE):
        resource, slash, subresource = permission.resource.partition("/")
        group = f".{permission.group}" if permission.group else ""
        verbs = ", ".join(permission.verbs)
        yield f"{verbs} {resource}{group}{slash}{subresource}: {permission.use}"


def _granted(kind: str, permissions: Iterable[Permission], metadata: JSON) -> Iterator[JSON]:
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "rules": [
            {
                "apiGroups": [permission.group],
                "resources": [permission.resource],
                "verbs": list(permission.verbs),
            }
            for permission in permissions
        ],
    }
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }
