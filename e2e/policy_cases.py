"""What users may and may not do with the admission policies: `performer_policy.yaml`, as cases."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, VERSION
from hourglass_operator.manifests.named_objects import MOST_NAMES
from hourglass_operator.manifests.user_roles import EDITOR

CHANGES, LIMITED = "changes", "limited"
"""Groups of cases: of changes of `existing`, and of those that need the ConfigMap of limits."""
EDITORS = ("alice", "bob")

_TABLE: JSON = yaml.safe_load(Path(__file__).with_name("performer_policy.yaml").read_text("utf-8"))
LIMITS: dict[str, str] = _TABLE["limits"]
MISSPELT: dict[str, str] = _TABLE["misspelt"]
REFUSAL_OF_ALL: str = _TABLE["refusal of all"]
_RBAC = "rbac.authorization.k8s.io"


class Case(NamedTuple):
    """`given`: the spec of a new Performer or a merge patch; `refusal`: empty when it is let in."""

    group: str
    what: str
    user: str
    given: JSON
    refusal: str

    @property
    def id(self) -> str:
        """As a sentence."""
        return f"{self.group}: {self.user}: {self.what}"


def cases(namespace: str) -> Iterator[Case]:
    """All rows of the table for a namespace, each for every user that it names."""
    for group in ("creations", CHANGES, LIMITED):
        for what, row in _TABLE[group].items():
            given = row.get("patch") or row.get("spec") or _names(row)
            for user in (*EDITORS, "carol"):
                said = row.get(user, row.get("both") if user in EDITORS else None)
                if said is not None:
                    refusal = said.replace("{user}", account(user, namespace))
                    yield Case(group, what, user, given, refusal.replace("{ns}", namespace))


def performer(name: str, namespace: str, spec: JSON) -> JSON:
    """A Performer with a spec, and with what every spec must say."""
    needed = {"avsAddress": "0x1234567890abcdef1234567890abcdef12345678", "image": "x:v1"}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**needed, **spec},
    }


def existing(namespace: str) -> JSON:
    """The Performer that the changes are of; an administrator has made it."""
    source = {"secretRef": {"name": "database"}}
    return performer("existing", namespace, {"config": {"environmentFrom": [source]}})


def rights(namespace: str) -> Iterator[JSON]:
    """The roles of all users, and their bindings."""
    names = [f"many-{number}" for number in range(MOST_NAMES + 1)]
    many = {"resources": ["secrets", "configmaps"], "resourceNames": names, "verbs": ["get"]}
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": "granted", "namespace": namespace},
        "rules": [*_TABLE["grants"], {"apiGroups": [""], **many}],
    }
    yield _binding("Role", "granted", namespace, "alice")
    yield _binding("ClusterRole", EDITOR, namespace, *EDITORS)
    yield _binding("ClusterRole", "edit", namespace, "carol")


def account(user: str, namespace: str) -> str:
    """As whom the API server knows a user."""
    return f"system:serviceaccount:{namespace}:{user}"


def _names(row: JSON) -> JSON:
    env = []
    for resource, source in (("secrets", "secretKeyRef"), ("configmaps", "configMapKeyRef")):
        for number in range(row.get(resource, 0)):
            reference = {source: {"name": f"many-{number}", "key": "a"}}
            env.append({"name": f"{resource}_{number}", "valueFrom": reference})
    return {"config": {"env": env}} if env else {}


def _binding(kind: str, role: str, namespace: str, *users: str) -> JSON:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": role, "namespace": namespace},
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": role},
        "subjects": [
            {"kind": "ServiceAccount", "name": user, "namespace": namespace} for user in users
        ],
    }
