"""A program is tested with the fixtures of the pytest plugin, as docs/any-operator.md says."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters.build import module_of, program
from hourglass_simulator.testing import ServedCluster
from processes import process

EXAMPLE = module_of("go-operator")

pytestmark = [
    pytest.mark.simulated_cluster(manifests=[EXAMPLE / "crd.yaml"]),
    pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed"),
]


@pytest.fixture
def operator(served_cluster: ServedCluster, tmp_path: Path) -> Iterator[None]:
    """The operator in Go, which finds the cluster by KUBECONFIG."""
    with process([program("go-operator", print)], tmp_path / "log"):
        yield


@pytest.mark.usefixtures("operator")
def test_an_operator_in_go_survives_what_goes_wrong(served_cluster: ServedCluster) -> None:
    served_cluster.apply(EXAMPLE / "site.yaml")
    served_cluster.assert_condition("Site", "hello")
    served_cluster.inject("api-conflict", resource="sites", times=3)
    served_cluster.inject("watch-expired")
    served_cluster.delete("Deployment", "hello")
    served_cluster.wait_until(lambda: served_cluster.get("Deployment", "hello"))
    served_cluster.assert_condition("Site", "hello")
    served_cluster.assert_settles()
    served_cluster.delete("Site", "hello")
    served_cluster.assert_gone("Site", "hello")
    served_cluster.assert_gone("Deployment", "hello")
