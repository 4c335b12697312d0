"""ServiceAccounts for operators that run outside of the cluster: each a user of its own."""

import json
from collections.abc import Iterable
from pathlib import Path

from clusters import Cluster, Manifest
from hourglass_operator.manifests.roles import rules
from hourglass_operator.permissions import CLUSTER, OWN_NAMESPACE, Permission

_RBAC = "rbac.authorization.k8s.io"


def operator_account(cluster: Cluster, namespace: str, name: str, kubeconfig: Path) -> str:
    """Make a ServiceAccount with the operator's permissions and write its kubeconfig.

    Returns the user that the audit log shows. The Lease is to be in the same namespace. The token
    holds for two hours.
    """
    account = {"name": name, "namespace": namespace}
    everywhere = {"name": f"{namespace}-{name}"}
    subject = {"kind": "ServiceAccount", **account}
    cluster.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        *_grant("ClusterRole", everywhere, CLUSTER, subject),
        *_grant("Role", account, OWN_NAMESPACE, subject),
    )
    account_kubeconfig(cluster, namespace, name, kubeconfig)
    return account_user(namespace, name)


def account_kubeconfig(cluster: Cluster, namespace: str, name: str, kubeconfig: Path) -> None:
    """Write a kubeconfig of a ServiceAccount that exists. The token holds for two hours."""
    token = cluster.kubectl("create", "token", name, "-n", namespace, "--duration=2h").strip()
    view = ("config", "view", "--raw", "--flatten", "--minify", "-o", "json")
    config = json.loads(cluster.kubectl(*view))
    for user in config["users"]:
        user["user"] = {"token": token}
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(json.dumps(config))


def account_user(namespace: str, name: str) -> str:
    """The user as whom a ServiceAccount is known."""
    return f"system:serviceaccount:{namespace}:{name}"


def _grant(
    kind: str, metadata: dict[str, str], permissions: Iterable[Permission], subject: dict[str, str]
) -> tuple[Manifest, Manifest]:
    version = f"{_RBAC}/v1"
    role = {
        "apiVersion": version,
        "kind": kind,
        "metadata": metadata,
        "rules": rules(permissions),
    }
    reference = {"apiGroup": _RBAC, "kind": kind, "name": metadata["name"]}
    binding = {
        "apiVersion": version,
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": [subject],
    }
    return role, binding
