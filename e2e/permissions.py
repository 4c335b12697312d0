"""The operator's permissions in a cluster, of which one verb can be taken away for a while."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from clusters import Cluster, KubectlError, wait_until
from hourglass_kube.types import JSON
from hourglass_operator.manifests import roles
from hourglass_operator.permissions import CLUSTER, OWN_NAMESPACE, Permission


@dataclass(frozen=True)
class Right:
    """One verb of a permission."""

    permission: Permission
    verb: str

    @property
    def name(self) -> str:
        """As the operator names it, such as `patch performers.hourglass.eigenlayer.io/status`."""
        return f"{self.verb} {self.permission.qualified}"


ALL = [Right(each, verb) for each in (*CLUSTER, *OWN_NAMESPACE) for verb in each.verbs]


class Grants:
    """The roles of an account made by `operator_account`."""

    def __init__(self, cluster: Cluster, namespace: str, account: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._account = account

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """While inside, the API server denies this one and allows the others."""
        self._set(right)
        try:
            wait_until(f"{right.name} is denied", lambda: not self._allowed(right))
            yield
        finally:
            self._set(None)
            wait_until(f"{right.name} is allowed", lambda: self._allowed(right))

    def _set(self, missing: Right | None) -> None:
        cluster_role = ("clusterrole", f"{self._namespace}-{self._account}")
        role = ("role", self._account, "-n", self._namespace)
        self._replace(cluster_role, rules(CLUSTER, missing))
        self._replace(role, rules(OWN_NAMESPACE, missing))

    def _replace(self, role: Iterable[str], rules: list[JSON]) -> None:
        patch = [{"op": "replace", "path": "/rules", "value": rules}]
        self._cluster.kubectl("patch", *role, "--type=json", "--patch", json.dumps(patch))

    def _allowed(self, right: Right) -> bool:
        resource, _, subresource = right.permission.resource.partition("/")
        if right.permission.group:
            resource += f".{right.permission.group}"
        if right.permission.of_lease:
            resource += f"/{roles.LEASE}"
        own = right.permission in OWN_NAMESPACE
        question = [
            *("auth", "can-i", right.verb, resource),
            *((f"--subresource={subresource}",) if subresource else ()),
            *(("-n", self._namespace) if own else ("--all-namespaces",)),
            f"--as=system:serviceaccount:{self._namespace}:{self._account}",
        ]
        try:
            return self._cluster.kubectl(*question).strip() == "yes"
        except KubectlError as error:
            # How it says no, without a word on stderr unless something is wrong.
            if error.stderr.strip() not in (
                "",
                "Warning: resource 'nodes' is not namespace scoped",
            ):
                raise
            return False


def rules(permissions: Iterable[Permission], missing: Right | None) -> list[JSON]:
    """The rules of a role with all of these but one."""
    left = (
        replace(each, verbs=tuple(verb for verb in each.verbs if Right(each, verb) != missing))
        for each in permissions
    )
    return roles.rules(each for each in left if each.verbs)
