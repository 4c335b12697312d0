"""The operator has the permissions that it needs and no others, by the RBAC of a served cluster."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_operator.manifests.roles import LEASE
from hourglass_operator.permissions import CLUSTER, OWN_NAMESPACE, Permission
from hourglass_operator.runtime.process.preflight import Exit, Lease, Missing, preflight
from hourglass_operator.transport.api import Api
from hourglass_operator.transport.calls import Answer, Request
from hourglass_operator.transport.connection import connection
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.served import Served, served
from permissions import ALL, Right

ACCOUNT, NAMESPACE, GROUP = "operator", "hourglass", "rbac.authorization.k8s.io"


def rules(permissions: Iterable[Permission], missing: Right | None) -> list[JSON]:
    return [
        {"apiGroups": [each.group], "resources": [each.resource], "verbs": verbs}
        for each in permissions
        if (verbs := [verb for verb in each.verbs if Right(each, verb) != missing])
    ]


class World:
    """A cluster with an account for the operator, and its kubeconfig."""

    def __init__(self, there: Served, folder: Path) -> None:
        self.api, self.there = there.cluster.api, there
        self.kubeconfig = folder / "operator.kubeconfig"
        for name in ("namespaces", "serviceaccounts"):
            meta = {"name": NAMESPACE if name == "namespaces" else ACCOUNT}
            own = "" if name == "namespaces" else NAMESPACE
            self.api.create(name, {"metadata": meta}, namespace=own)
        for kind in ("ClusterRole", "Role"):
            self._grant(kind)
        account = self.api.get("serviceaccounts", NAMESPACE, ACCOUNT)
        token = self.api.issue_token(account, 3600, ["https://kubernetes.default.svc"], None)
        there.write_kubeconfig(self.kubeconfig)
        config = yaml.safe_load(self.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token}
        self.kubeconfig.write_text(json.dumps(config))

    def _grant(self, kind: str) -> None:
        plural, own = f"{kind.lower()}s", NAMESPACE if kind == "Role" else ""
        self.api.create(plural, {"metadata": {"name": ACCOUNT}, "rules": []}, namespace=own)
        subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}
        binding = {
            "metadata": {"name": ACCOUNT},
            "roleRef": {"apiGroup": GROUP, "kind": kind, "name": ACCOUNT},
            "subjects": [subject],
        }
        self.api.create(f"{kind.lower()}bindings", binding, namespace=own)

    @contextmanager
    def without(self, right: Right | None) -> Iterator[None]:
        """While inside, the roles allow everything that the operator names but this."""
        for plural, own, permissions in (
            ("clusterroles", "", CLUSTER),
            ("roles", NAMESPACE, OWN_NAMESPACE),
        ):
            with self.there.lock:
                self.api.patch(plural, own, ACCOUNT, {"rules": rules(permissions, right)})
        yield

    def missing(self) -> list[Missing]:
        """What the operator says when it starts."""

        async def ask() -> list[Missing]:
            api = Api(await connection(self.kubeconfig, None), 300)
            try:
                return await preflight(api, (), Lease(NAMESPACE, LEASE))
            finally:
                await api.close()

        return asyncio.run(ask())

    def call(self, request: Request) -> Answer:
        """A call with the operator's token."""

        async def make() -> Answer:
            api = Api(await connection(self.kubeconfig, None), 300)
            try:
                return await api.call(request)
            finally:
                await api.close()

        return asyncio.run(make())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    cluster = Cluster(crd=generate())
    cluster.api.enable_rbac()
    with served(cluster, names=False) as there:
        yield World(there, tmp_path_factory.mktemp("world"))


def test_with_all_of_them_nothing_is_missing(world: World) -> None:
    with world.without(None):
        assert world.missing() == []


@pytest.mark.parametrize("right", ALL, ids=[right.name for right in ALL])
def test_each_is_missed_by_name(right: Right, world: World) -> None:
    with world.without(right):
        (found,) = world.missing()
    assert found.code == Exit.NO_PERMISSION
    assert f"missing permission: {right.name} " in found.text


FORBIDDEN = {
    "secrets are not read": Request("list", "secrets", NAMESPACE),
    "nodes are not changed": Request("patch", "nodes", "", "a", body={}),
}


@pytest.mark.parametrize("asked", FORBIDDEN.values(), ids=FORBIDDEN)
def test_nothing_else_is_allowed(asked: Request, world: World) -> None:
    with world.without(None):
        answer = world.call(asked)
    assert answer.code == 403
    assert f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}" in answer.message
