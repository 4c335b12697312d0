"""Who may create which Performers, as the simulated cluster decides by the shipped policies."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_operator.manifests import policy
from hourglass_operator.manifests.named_objects import CONFIG_MAPS, SECRETS, Named
from hourglass_operator.manifests.roles import NAMESPACE
from hourglass_operator.manifests.user_roles import user_roles
from hourglass_simulator.testing import APIError, SimulatedCluster, options
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

CRD = Path(__file__).parents[3] / "crds" / "performers.hourglass.eigenlayer.io.yaml"
TEAM = "team"


@pytest.fixture(scope="module")
def cluster() -> SimulatedCluster:
    cluster = SimulatedCluster(options({"rbac": True, "manifests": [str(CRD)]}))
    for name in (TEAM, NAMESPACE):
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for obj in (*user_roles(), *rights(TEAM), policy.limits({}), *policy.policies()):
        cluster.apply(obj)
    cluster.apply(existing(TEAM))
    # Until the roles of users are part of `edit`.
    cluster.advance("1s")
    return cluster


def refused(cluster: SimulatedCluster, case: Case) -> str:
    """What the refusal says; empty when a change is let in, which is then taken back."""
    user = cluster.as_user(account(case.user, TEAM))
    try:
        if case.group == CHANGES:
            user.patch("Performer", "existing", case.given, TEAM)
            cluster.apply(existing(TEAM))
        else:
            user.create(performer("new", TEAM, case.given))
            cluster.delete("Performer", "new", TEAM)
    except APIError as error:
        return f"{error.reason}: {error.message.partition(' denied request: ')[2]}"
    return ""


@pytest.mark.parametrize("case", [pytest.param(each, id=each.id) for each in cases(TEAM)])
def test_users_may_create_what_the_table_says(cluster: SimulatedCluster, case: Case) -> None:
    cluster.apply(policy.limits(LIMITS if case.group == LIMITED else {}))
    assert refused(cluster, case) == (case.refusal and f"Forbidden: {case.refusal}")


def test_nobody_may_create_anything_while_a_limit_is_misspelt_or_there_are_none(
    cluster: SimulatedCluster,
) -> None:
    case = Case("creations", "nothing that needs a right", "carol", {}, "")
    cluster.apply(policy.limits(MISSPELT))
    assert refused(cluster, case) == f"Forbidden: {REFUSAL_OF_ALL}"
    cluster.delete("ConfigMap", policy.LIMITS, NAMESPACE)
    with pytest.raises(APIError, match="no params found for policy binding"):
        cluster.as_user(account("carol", TEAM)).create(performer("new", TEAM, {}))


def texts(expressions: list[JSON]) -> Iterator[str]:
    return (each["expression"] for each in expressions)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(each["spec"], id=each["metadata"]["name"])
        for each in policy.policies()
        if each["kind"] == "ValidatingAdmissionPolicy"
    ],
)
def test_the_authorizer_is_asked_no_more_than_an_api_server_lets_it_be(spec: JSON) -> None:
    """Each time costs 350,000; an expression may cost 1,000,000, a policy 10,000,000."""
    expressions = [*texts(spec["variables"]), *texts(spec["validations"])]
    asked = [each.count(".check(") for each in expressions]
    assert max(asked) <= 2
    # The rest costs something, too.
    assert sum(asked) <= 24
    assert not any(
        "authorizer" in each.get("messageExpression", "") for each in spec["validations"]
    )


def leaves(schema: JSON, path: str = "") -> Iterator[str]:
    """The paths of a schema that have values."""
    below = {f".{name}": each for name, each in schema.get("properties", {}).items()}
    for several in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(several, dict):
            below["[]"] = several
    if not below:
        yield path.removeprefix(".")
    for name, each in below.items():
        yield from leaves(each, path + name)


@pytest.mark.parametrize("named", [SECRETS, CONFIG_MAPS], ids=lambda named: named.resource)
def test_every_field_that_names_one_is_asked_about(named: Named) -> None:
    schema = generate()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    about = re.compile(named.kind, re.IGNORECASE)
    found = {each for each in leaves(schema["properties"]["spec"]) if about.search(each)}
    # Which part of it, and whether it must be there.
    assert {each for each in found if not each.endswith((".key", ".optional"))} == set(named.fields)
