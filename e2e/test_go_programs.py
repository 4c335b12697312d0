"""Programs in Go, unchanged and with their default content types, on the simulated cluster.

What client-go sees was seen on a real cluster first (test_client_go.py).
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from client_go import GOLDENS, PARTS, built, what_client_go_sees
from clusters import Cluster, wait_until
from clusters.build import module_of
from clusters.cluster import KubectlError
from clusters.runs import kubectl_program
from conftest import ClusterReport
from hourglass_simulator.kubernetes.version import VERSIONS
from processes import process
from recorded import recorded
from simulated import simulated


@pytest.fixture(scope="module", params=VERSIONS)
def served(
    request: pytest.FixtureRequest,
    cluster_report: ClusterReport,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    """A simulated cluster of each minor version."""
    folder = tmp_path_factory.mktemp("simulated")
    with simulated(request.param, folder, Path(kubectl_program(cluster_report.add))) as cluster:
        yield cluster


def test_client_go_on_a_simulated_cluster(served: Cluster, cluster_report: ClusterReport) -> None:
    seen = what_client_go_sees(served, cluster_report)
    assert served.version.startswith(f"v{seen['discovery'].pop('version')}.")
    streamed = [seen[part].pop("streamed") for part in ("informer", "customResources")]
    assert streamed == [True, True]
    # Not recorded: the native cluster has no WatchList.
    assert seen.pop("bookmarks")["events"] == [
        "ADDED after",
        "ADDED before-1",
        "ADDED before-3",
        "BOOKMARK that ends the initial events",
    ]
    assert seen.pop("traffic")["contentTypes"] == [
        "application/json",
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/vnd.kubernetes.protobuf",
        "application/vnd.kubernetes.protobuf;stream=watch",
        "text/plain; charset=utf-8",
    ]
    assert seen == {part: recorded(GOLDENS, part) for part in PARTS}


def test_an_operator_with_controller_runtime(
    served: Cluster, cluster_report: ClusterReport, tmp_path: Path
) -> None:
    example = module_of("go-operator")
    served.kubectl("apply", "-f", str(example / "crd.yaml"))
    served.kubectl("wait", "--for=condition=Established", "crd/sites.example.com")
    log = tmp_path / "operator.log"
    with process([built("go-operator", cluster_report)], log, KUBECONFIG=str(served.kubeconfig)):
        served.kubectl("apply", "-f", str(example / "site.yaml"))
        served.kubectl("wait", "--for=condition=Ready", "site/hello", "--timeout=60s")
        pods = served.get("pods", "-l", "example.com/site=hello")["items"]
        assert [pod["status"]["phase"] for pod in pods] == ["Running", "Running"]
        (owner,) = served.get("configmap", "hello-page")["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["controller"]) == ("Site", True)

        served.kubectl("patch", "site", "hello", "--type=merge", '-p={"spec":{"replicas":3}}')
        served.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=3", "site/hello")
        refused = "spec.replicas in body should be less than or equal to 10"
        with pytest.raises(KubectlError, match=refused):
            served.kubectl("patch", "site", "hello", "--type=merge", '-p={"spec":{"replicas":11}}')

        served.kubectl("delete", "deployment", "hello")
        served.kubectl("wait", "--for=create", "deployment/hello", "--timeout=30s")
        served.kubectl("wait", "--for=condition=Ready", "site/hello", "--timeout=60s")

        assert "hello" in served.get("configmap", "sites")["data"]
        served.kubectl("delete", "site", "hello", "--timeout=30s")
        assert "data" not in served.get("configmap", "sites")
        wait_until("what the Site owned is gone", lambda: not left_of_the_site(served))
        reasons = {event["reason"] for event in served.get("events")["items"]}
        assert {"Deployed", "Removed"} <= reasons
        assert not errors_of_the_operator(log)


def errors_of_the_operator(log: Path) -> list[str]:
    """The errors in its log, but for what a cache that lags behind brings on any cluster."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    found = [str(line["error"]) for line in lines if line["level"] == "error"]
    usual = ("already exists", "the object has been modified")
    return [error for error in found if not any(text in error for text in usual)]


def left_of_the_site(cluster: Cluster) -> list[str]:
    owned = cluster.get("deployments,pods,configmaps", "-n", "default")["items"]
    names = (each["metadata"]["name"] for each in owned)
    return [name for name in names if name.startswith("hello")]
