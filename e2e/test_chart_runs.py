"""What the chart installs runs on a real node, and `helm test` finds that it does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import Cluster
from helm import CHART, Helm
from hourglass_operator.manifests.roles import NAME, NAMESPACE

RELEASE = "hourglass"
PLACE = ("--namespace", NAMESPACE)


@pytest.fixture
def helm(
    own_cluster: Cluster, operator_image: str, custom_resource: str, tmp_path: Path
) -> Iterator[Helm]:
    """Helm, with a release whose Deployment is available."""
    if not own_cluster.has_root_certificate():
        pytest.skip("this cluster gives pods no certificate by which they know the API server")
    repository, _, tag = operator_image.rpartition(":")
    image = ("--set", f"image.repository={repository},image.tag={tag}")
    own = Helm(tmp_path, own_cluster.kubeconfig)
    options = ("--create-namespace", "--take-ownership", "--wait", "--timeout=100s")
    own.output("install", RELEASE, CHART, *PLACE, *image, *options)
    try:
        yield own
    finally:
        own.output("uninstall", RELEASE, *PLACE, "--wait")
        # Of a test that failed Helm leaves the pod.
        own_cluster.kubectl("delete", "pod", f"{NAME}-test", *PLACE, "--ignore-not-found")


@pytest.mark.usefixtures("dns")
def test_helm_test_gets_the_metrics_of_the_running_operator(helm: Helm) -> None:
    said = helm.output("test", RELEASE, *PLACE, "--timeout=60s")
    assert "Phase:          Succeeded" in said
