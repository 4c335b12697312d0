"""The kustomizations and the chart, rendered by kubectl and by Helm, are the same objects."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusters import Cluster
from conftest import PERFORMERS
from helm import CHART, Helm
from hourglass_operator.manifests.kubernetes_versions import OLDEST
from hourglass_operator.manifests.roles import NAME, NAMESPACE
from hourglass_operator.manifests.user_roles import VIEWER

ROOT = Path(__file__).parents[1]
# A Helm that was built without its version takes an old Kubernetes for granted.
FOR = ("--kube-version", f"{OLDEST}.0")

NAMED_OTHERWISE = {"ClusterRole performers-of-a-and-b", "Pod performers-of-a-and-b-test"}

Objects = dict[str, Any]
"""By kind and name."""


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Without a cluster."""
    return Helm(tmp_path_factory.mktemp("helm"))


def test_helm_makes_the_objects_of_the_kustomization(cluster: Cluster, helm: Helm) -> None:
    place = ["--namespace", NAMESPACE]
    template = ("template", "hourglass", CHART, *place, *FOR)
    whole = kustomized(cluster, "deploy/default") | kustomized(cluster, "deploy/policy")
    # Helm makes the namespace by itself.
    del whole[f"Namespace {NAMESPACE}"]
    charted = objects(helm.output(*template, "--set", "performerPolicy.enabled=true"))
    definition = charted[f"CustomResourceDefinition {PERFORMERS}"]
    assert definition["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert charted.pop(f"Pod {NAME}-test")["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert charted == whole


def test_every_value_of_the_chart_has_its_place(cluster: Cluster, helm: Helm) -> None:
    chosen = str(ROOT / "e2e" / "chart_values.yaml")
    own = yaml.safe_load((ROOT / "deploy" / "chart" / "values.yaml").read_text())
    assert {name: type(value) for name, value in own.items()} == {
        name: type(value) for name, value in yaml.safe_load(Path(chosen).read_text()).items()
    }
    template = ("template", "hourglass", CHART, "--namespace", "operators", *FOR)
    charted = objects(helm.output(*template, "--values", chosen))
    expected = objects((ROOT / "e2e" / "chart_rendered.yaml").read_text())
    assert {name: charted[name] for name in expected} == expected
    assert charted.keys() >= NAMED_OTHERWISE
    kinds = {name.split()[0] for name in charted}
    assert not kinds & {"NetworkPolicy", "CustomResourceDefinition"}
    assert not [name for name in charted if name.endswith((f" {NAME}", f" {VIEWER}"))]
    # An API server knows better what a Deployment may be.
    (deployment,) = (each for each in charted.values() if each["kind"] == "Deployment")
    text = json.dumps(deployment).replace('"operators"', '"default"')
    cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=text)


def test_helm_finds_nothing_to_complain_about(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm.output("lint", "--strict", CHART)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("replicas=many", "replicas"),
        ("replica=1", "replica"),
        ("settings.metrics-address=:9090", "metrics-address"),
        ("fullnameOverride=Of_A", "fullnameOverride"),
    ],
    ids=[
        "that is not of its kind",
        "that is misspelt",
        "that the ports would not follow",
        "that is no name",
    ],
)
def test_helm_refuses_a_value(value: str, named: str, helm: Helm) -> None:
    done = helm.run("template", "hourglass", CHART, *FOR, "--set", value)
    assert done.returncode != 0
    assert named in done.stderr


def test_everything_is_the_resource_definition_and_the_base(cluster: Cluster) -> None:
    everything = kustomized(cluster, "deploy/default")
    assert everything == kustomized(cluster, "crds") | kustomized(cluster, "deploy/base")


def kustomized(cluster: Cluster, folder: str) -> Objects:
    return objects(cluster.kubectl("kustomize", str(ROOT / folder)))


def objects(text: str) -> Objects:
    found = [without_empty(each) for each in yaml.safe_load_all(text) if each]
    by_name = {f"{each['kind']} {each['metadata']['name']}": each for each in found}
    assert len(by_name) == len(found)
    return by_name


def without_empty(value: Any) -> Any:
    """To the API server a field that is empty is one that is not there."""
    if isinstance(value, list):
        return [without_empty(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: without_empty(each) for key, each in value.items() if each not in ({}, [], None, "")
    }
