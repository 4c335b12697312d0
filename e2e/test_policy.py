"""Who may create which Performers with the admission policies in force.

On the cluster, and on `hourglass-sim serve --rbac`: as `performer_policy.yaml` says.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from clusters import Cluster, KubectlError, wait_until
from clusters.runs import kubectl_program
from conftest import PERFORMERS, ClusterReport, install_definition
from hourglass_operator.manifests.policy import LIMITS as CONFIG_MAP
from hourglass_operator.manifests.policy import limits
from hourglass_operator.manifests.roles import NAMESPACE
from hourglass_operator.manifests.user_roles import user_roles
from hourglass_simulator.kubernetes.version import OLDEST
from policy_cases import (
    CHANGES,
    LIMITED,
    LIMITS,
    MISSPELT,
    REFUSAL_OF_ALL,
    Case,
    account,
    cases,
    existing,
    performer,
    rights,
)
from simulated import simulated

POLICY = Path(__file__).parents[1] / "deploy" / "policy"
DRY = "--dry-run=server"


@pytest.fixture(scope="module", params=["cluster", "simulator"])
def backend(
    request: pytest.FixtureRequest,
    cluster_report: ClusterReport,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    """A cluster that decides by roles and serves Performers."""
    if request.param == "cluster":
        cluster: Cluster = request.getfixturevalue("own_cluster")
        request.getfixturevalue("custom_resource")
        yield cluster
        return
    folder, kubectl = tmp_path_factory.mktemp("simulated"), kubectl_program(cluster_report.add)
    with simulated(OLDEST, folder, Path(kubectl), "--rbac") as cluster:
        install_definition(cluster)
        yield cluster


@pytest.fixture(scope="module")
def place(backend: Cluster) -> Iterator[tuple[Cluster, str]]:
    """The cluster with the policies in force, and a namespace where the users have their roles."""
    text = backend.kubectl("kustomize", str(POLICY))
    shipped = [obj for obj in yaml.safe_load_all(text) if obj]
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    with backend.namespace() as namespace:
        backend.apply(existing(namespace))
        backend.apply(home, *user_roles(), *rights(namespace))
        backend.apply(*shipped)
        try:
            yield backend, namespace
        finally:
            for obj in reversed(shipped):
                backend.kubectl("delete", "-f", "-", "--ignore-not-found", stdin=json.dumps(obj))
            backend.kubectl("delete", PERFORMERS, "--all", "-n", namespace)


def refused(cluster: Cluster, namespace: str, case: Case) -> str:
    """What the refusal says; empty when it would be let in."""
    user = ("--as", account(case.user, namespace), DRY)
    try:
        if case.group == CHANGES:
            patch = ("--type=merge", "-p", json.dumps(case.given))
            cluster.kubectl("patch", PERFORMERS, "existing", "-n", namespace, *patch, *user)
        else:
            made = json.dumps(performer("new", namespace, case.given))
            cluster.kubectl("create", "-f", "-", *user, stdin=made)
    except KubectlError as error:
        return error.stderr.partition(" denied request: ")[2].strip() or error.stderr
    return ""


def otherwise(cluster: Cluster, namespace: str, judged: list[Case]) -> dict[str, str]:
    """What is said in cases that the table has otherwise, when policies had time to take effect."""
    left = judged

    def as_in_the_table() -> bool:
        nonlocal left
        left = [each for each in left if refused(cluster, namespace, each) != each.refusal]
        return not left

    with suppress(TimeoutError):
        wait_until("all is as in the table", as_in_the_table, 30)
    return {each.id: refused(cluster, namespace, each) for each in left}


@pytest.mark.parametrize("limited", [False, True], ids=["without lists", "with lists"])
def test_users_may_create_what_the_table_says(place: tuple[Cluster, str], limited: bool) -> None:
    cluster, namespace = place
    cluster.apply(limits(LIMITS if limited else {}))
    judged = [each for each in cases(namespace) if (each.group == LIMITED) is limited]
    # Before policies are in force everything is let in.
    assert otherwise(cluster, namespace, [each for each in judged if each.refusal]) == {}
    assert otherwise(cluster, namespace, [each for each in judged if not each.refusal]) == {}


def test_the_api_server_finds_nothing_wrong_with_the_expressions(
    place: tuple[Cluster, str],
) -> None:
    cluster, _ = place
    policies = cluster.get("validatingadmissionpolicies")["items"]
    named = [each for each in policies if each["metadata"]["name"].startswith("hourglass-")]
    assert len(named) == 3
    warnings = [each.get("status", {}).get("typeChecking", {}) for each in named]
    assert warnings == [{}] * 3


def test_nobody_may_create_anything_while_a_limit_is_misspelt_or_there_are_none(
    place: tuple[Cluster, str],
) -> None:
    cluster, namespace = place
    case = Case("creations", "nothing", "carol", {}, REFUSAL_OF_ALL)
    cluster.apply(limits(MISSPELT))
    assert otherwise(cluster, namespace, [case]) == {}
    cluster.kubectl("delete", "configmap", CONFIG_MAP, "-n", NAMESPACE)
    wait_until(
        "the limits are missed",
        lambda: "no params found" in refused(cluster, namespace, case),
    )
