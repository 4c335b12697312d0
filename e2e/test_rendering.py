"""The kustomizations and the chart, rendered by kubectl and by Helm, are the same objects."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusters import Cluster
from clusters.build import program
from conftest import PERFORMERS
from hourglass_operator.manifests.kubernetes_versions import OLDEST
from hourglass_operator.manifests.roles import NAME, NAMESPACE

ROOT = Path(__file__).parents[1]
CHART = str(ROOT / "deploy" / "chart")
# A Helm that was built without its version takes an old Kubernetes for granted.
FOR = ("--kube-version", f"{OLDEST}.0")

Objects = dict[str, Any]
"""By kind and name."""


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command, with folders of its own."""
    home = tmp_path_factory.mktemp("helm")
    found = shutil.which("helm") or program("helm", print)
    return ["env", f"HOME={home}", f"PATH={os.environ['PATH']}", str(found)]


def test_helm_makes_the_objects_of_the_kustomization(cluster: Cluster, helm: list[str]) -> None:
    place = ["--namespace", NAMESPACE]
    template = [*helm, "template", "hourglass", CHART, *place, *FOR]
    whole = kustomized(cluster, "deploy/default") | kustomized(cluster, "deploy/policy")
    # Helm makes the namespace by itself.
    del whole[f"Namespace {NAMESPACE}"]
    charted = objects(output([*template, "--set", "performerPolicy.enabled=true"]))
    definition = charted[f"CustomResourceDefinition {PERFORMERS}"]
    assert definition["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert charted.pop(f"Pod {NAME}-test")["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert charted == whole


def test_every_value_of_the_chart_has_its_place(cluster: Cluster, helm: list[str]) -> None:
    chosen = str(ROOT / "e2e" / "chart_values.yaml")
    own = yaml.safe_load((ROOT / "deploy" / "chart" / "values.yaml").read_text())
    assert {name: type(value) for name, value in own.items()} == {
        name: type(value) for name, value in yaml.safe_load(Path(chosen).read_text()).items()
    }
    template = [*helm, "template", "hourglass", CHART, "--namespace", "operators", *FOR]
    charted = objects(output([*template, "--values", chosen]))
    expected = objects((ROOT / "e2e" / "chart_rendered.yaml").read_text())
    assert {name: charted[name] for name in expected} == expected
    assert f"NetworkPolicy {NAME}" not in charted
    assert f"CustomResourceDefinition {PERFORMERS}" not in charted
    # An API server knows better what a Deployment may be.
    text = json.dumps(charted[f"Deployment {NAME}"]).replace('"operators"', '"default"')
    cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=text)


def test_helm_finds_nothing_to_complain_about(helm: list[str]) -> None:
    assert "0 chart(s) failed" in output([*helm, "lint", "--strict", CHART])


def test_helm_refuses_a_value_that_the_schema_does_not_know(helm: list[str]) -> None:
    done = run([*helm, "template", "hourglass", CHART, *FOR, "--set", "replicas=many"])
    assert done.returncode != 0
    assert "replicas" in done.stderr


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


def output(command: list[str]) -> str:
    done = run(command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
