"""The Deployment fits the operator's settings, and the restricted pod security standard."""

from typing import Any

import pytest
from click.testing import CliRunner

from hourglass_operator.cli import main
from hourglass_operator.manifests import workload
from hourglass_operator.manifests.roles import rbac
from hourglass_operator.runtime.process.settings import RuntimeSettings

POD: dict[str, Any] = workload.deployment()["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def test_the_operator_knows_the_arguments() -> None:
    # --help comes after the parsing of what precedes it.
    outcome = CliRunner().invoke(main, ["run", *CONTAINER["args"], "--help"])
    assert outcome.exit_code == 0, outcome.output


@pytest.mark.parametrize(
    ("port", "setting"), [("health", "health_address"), ("metrics", "metrics_address")]
)
def test_the_ports_are_those_that_the_operator_serves_on(port: str, setting: str) -> None:
    (number,) = (each["containerPort"] for each in CONTAINER["ports"] if each["name"] == port)
    assert RuntimeSettings.model_fields[setting].default == f"0.0.0.0:{number}"


@pytest.mark.parametrize(
    ("probe", "path"), [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
)
def test_the_probes_ask_the_health_port(probe: str, path: str) -> None:
    assert CONTAINER[probe]["httpGet"] == {"path": path, "port": "health"}


def test_the_grace_period_outlasts_the_shutdown() -> None:
    assert POD["terminationGracePeriodSeconds"] >= RuntimeSettings().shutdown_timeout + 5


def test_the_pod_meets_the_restricted_standard() -> None:
    # https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    assert workload.namespace()["metadata"]["labels"] == {
        "pod-security.kubernetes.io/enforce": "restricted"
    }
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] > 0
    assert POD["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert CONTAINER["securityContext"]["allowPrivilegeEscalation"] is False
    assert CONTAINER["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not {"hostNetwork", "hostPID", "hostIPC", "volumes"} & POD.keys()


def test_the_pods_are_those_that_the_others_select() -> None:
    labels = workload.deployment()["spec"]["template"]["metadata"]["labels"]
    assert workload.deployment()["spec"]["selector"]["matchLabels"] == labels
    assert workload.disruption_budget()["spec"]["selector"]["matchLabels"] == labels
    assert workload.metrics_service()["spec"]["selector"] == labels


def test_the_pods_run_under_the_account_that_the_roles_are_bound_to() -> None:
    (account,) = (found for found in rbac() if found["kind"] == "ServiceAccount")
    assert POD["serviceAccountName"] == account["metadata"]["name"]
    assert workload.deployment()["metadata"]["namespace"] == account["metadata"]["namespace"]
    assert workload.namespace()["metadata"]["name"] == account["metadata"]["namespace"]


def test_a_deployment_is_the_callers_to_change() -> None:
    made = workload.deployment()
    made["spec"]["template"]["spec"]["affinity"]["nodeAffinity"] = {}
    assert "nodeAffinity" not in workload.deployment()["spec"]["template"]["spec"]["affinity"]
