"""The roles hold what the operator does, and no more."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hourglass_operator.controller
from hourglass_operator.manifests import roles
from hourglass_operator.runtime.informers.selectors import SELECTORS
from hourglass_operator.transport.paths import path

Grant = tuple[str, str, str]
"""Group, resource or resource/subresource, verb."""


def granted(kind: str) -> set[Grant]:
    (role,) = (found for found in roles.rbac() if found["kind"] == kind)
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def group_of(resource: str) -> str:
    """The API group in which the runtime calls a resource."""
    root, group, *_ = path(resource).removeprefix("/").split("/")
    return "" if root == "api" else group


def planned_writes() -> Iterator[Grant]:
    """What the controller's sources plan: `Write("patch", "pods", …)`."""
    for source in Path(hourglass_operator.controller.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name("Write"),
                    args=[ast.Constant(str(verb)), ast.Constant(str(resource)), *rest],
                ):
                    below = [arg.value for arg in rest[3:] if isinstance(arg, ast.Constant)]
                    yield group_of(resource), "/".join([resource, *map(str, below)]), verb


WRITES = {"create", "update", "patch", "delete", "deletecollection"}


def test_in_the_cluster_the_operator_may_write_what_the_controller_plans_and_nothing_else() -> None:
    planned = set(planned_writes())
    assert len(planned) == 14
    ownership = {(roles.OWNERSHIP.group, roles.OWNERSHIP.resource, "update")}
    assert {grant for grant in granted("ClusterRole") if grant[2] in WRITES} == planned | ownership


@pytest.mark.parametrize("resource", SELECTORS)
@pytest.mark.parametrize("verb", ["list", "watch"])
def test_the_operator_may_see_what_it_watches(resource: str, verb: str) -> None:
    assert (group_of(resource), resource, verb) in granted("ClusterRole")


@pytest.mark.parametrize("resource", ["pods", "services", "resourceclaimtemplates"])
def test_the_operator_may_read_what_has_taken_a_name(resource: str) -> None:
    assert (group_of(resource), resource, "get") in granted("ClusterRole")


def test_in_its_own_namespace_the_operator_has_nothing_but_leases() -> None:
    assert granted("Role") == {
        (group_of("leases"), "leases", verb) for verb in ("get", "create", "update")
    }


@pytest.mark.parametrize("kind", ["ClusterRole", "Role"])
def test_nothing_is_granted_wholesale_and_secrets_never(kind: str) -> None:
    words = {word for grant in granted(kind) for word in grant}
    assert not words & {"*", "secrets", "pods/exec", "serviceaccounts", "escalate", "impersonate"}


@pytest.mark.parametrize("kind", ["ClusterRole", "Role"])
def test_each_role_is_bound_to_the_account(kind: str) -> None:
    objects: dict[str, dict[str, Any]] = {found["kind"]: found for found in roles.rbac()}
    binding, account = objects[f"{kind}Binding"], objects["ServiceAccount"]["metadata"]
    assert binding["metadata"] == objects[kind]["metadata"]
    assert binding["roleRef"]["kind"] == kind
    assert binding["roleRef"]["name"] == objects[kind]["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", **account}]


def test_every_permission_is_explained() -> None:
    lines = roles.explanation().splitlines()
    assert "# patch performers.hourglass.eigenlayer.io/status: report phase and conditions" in lines
    assert len(lines) == 1 + sum(len(found.get("rules", ())) for found in roles.rbac())
