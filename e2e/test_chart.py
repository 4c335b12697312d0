"""What installs the operator, on a real API server: the chart by Helm, and the printed manifests.

Whether what they install runs is for `test_installation.py`: nothing waits for pods here.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from clusters import Cluster
from conftest import PERFORMERS
from helm import CHART, Helm
from hourglass_kube.types import JSON
from hourglass_operator.manifests.roles import NAME, NAMESPACE
from operators.process import PROGRAM

VALUES = str(Path(__file__).with_name("chart_values.yaml"))
FULL_NAME = yaml.safe_load(Path(VALUES).read_text())["fullnameOverride"]
HOME = "operators"
NAMESPACES = (HOME, "leases")
MONITOR: JSON = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "servicemonitors.monitoring.coreos.com"},
    "spec": {
        "group": "monitoring.coreos.com",
        "names": {"kind": "ServiceMonitor", "plural": "servicemonitors"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}
"""As much of the Prometheus operator as an API server must know to take a ServiceMonitor."""


@pytest.fixture(scope="module")
def helm(own_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(tmp_path_factory.mktemp("helm"), own_cluster.kubeconfig)


@pytest.fixture(scope="module")
def prepared(own_cluster: Cluster, custom_resource: str) -> Iterator[Cluster]:
    """What the values of the test speak of is there."""
    cluster = own_cluster
    spaces = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
        }
        for name in NAMESPACES
    ]
    cluster.apply(MONITOR, *spaces)
    cluster.kubectl("wait", "--for=condition=Established", "crd", MONITOR["metadata"]["name"])
    yield cluster
    cluster.kubectl("delete", "crd", MONITOR["metadata"]["name"])
    cluster.kubectl("delete", "namespace", *NAMESPACES, "--wait=false")


def status(helm: Helm, release: str) -> tuple[str, int]:
    """What Helm says of a release: its status and its revision."""
    said = json.loads(helm.output("status", release, "--namespace", HOME, "-o", "json"))
    return said["info"]["status"], said["version"]


def replicas(cluster: Cluster, name: str) -> int:
    return int(cluster.get("deployment", name, "-n", HOME)["spec"]["replicas"])


def left(cluster: Cluster, name: str) -> list[str]:
    """What there still is of what a release made."""
    kinds = "deployment,serviceaccount,poddisruptionbudget,service,networkpolicy,role,rolebinding"
    of_cluster = "clusterrole,clusterrolebinding,validatingadmissionpolicy"
    found = [
        *cluster.get(kinds, "-A")["items"],
        *cluster.get(of_cluster)["items"],
    ]
    managed = {"app.kubernetes.io/managed-by": "Helm"}.items()
    return [
        f"{each['kind']} {each['metadata']['name']}"
        for each in found
        if each["metadata"]["name"] == name or managed <= each["metadata"].get("labels", {}).items()
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [(FULL_NAME, ("--values", VALUES)), (NAME, ("--take-ownership",))],
    ids=["with every value changed", "with its own values"],
)
def test_it_is_installed_upgraded_and_uninstalled(
    name: str, values: tuple[str, ...], helm: Helm, prepared: Cluster
) -> None:
    place = ("--namespace", HOME)
    helm.output("install", "performers", CHART, *place, *values)
    try:
        assert status(helm, "performers") == ("deployed", 1)
        # The API server takes the pod of `helm test`, too.
        hooks = helm.output("get", "hooks", "performers", *place)
        prepared.kubectl("create", "--dry-run=server", "-n", HOME, "-f", "-", stdin=hooks)

        more = ("--reuse-values", "--set", "replicas=5")
        helm.output("upgrade", "performers", CHART, *place, *more)
        assert status(helm, "performers") == ("deployed", 2)
        assert replicas(prepared, name) == 5
    finally:
        said = helm.run("uninstall", "performers", *place, "--wait")
    assert said.returncode == 0, said.stderr
    assert left(prepared, name) == []
    definition = prepared.get("crd", PERFORMERS)
    assert "deletionTimestamp" not in definition["metadata"]


def test_the_printed_manifests_are_applied_twice_without_a_word(prepared: Cluster) -> None:
    image = "registry.example.com/operator:v1"
    command = [str(PROGRAM), "manifests", "--image", image]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    apply = ("apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", "-")
    try:
        lines = prepared.kubectl(*apply, stdin=text).splitlines()
        assert lines
        assert all(line.endswith(" serverside-applied") for line in lines)
        made = prepared.get("deployment", NAME, "-n", NAMESPACE)
        assert made["spec"]["template"]["spec"]["containers"][0]["image"] == image
        generation = made["metadata"]["generation"]
        prepared.kubectl(*apply, stdin=text)
        again = prepared.get("deployment", NAME, "-n", NAMESPACE)
        assert again["metadata"]["generation"] == generation
    finally:
        rest = [each for each in yaml.safe_load_all(text) if each]
        rest = [each for each in rest if each["kind"] != "CustomResourceDefinition"]
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": rest})
        prepared.kubectl("delete", "-f", "-", "--ignore-not-found", "--wait=false", stdin=listed)
