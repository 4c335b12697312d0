"""The real kube-scheduler, kube-controller-manager and KWOK on a simulated API server.

With their default content types, by the users that RBAC knows them by.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from clusters import Cluster, wait_until
from clusters.build import program
from clusters.fake_nodes import fake_node, kwok_command
from clusters.runs import kubectl_program
from conftest import ClusterReport
from hourglass_simulator.kubernetes.version import VERSIONS
from processes import process
from simulated import simulated

SCHEDULER, CONTROLLERS = "kube-scheduler", "kube-controller-manager"
ALSO_ON_A_REAL_CLUSTER = re.compile(
    # A cache that lags behind, or what is known of an object that has just gone.
    r"the object has been modified|not found|has just been deleted|is being terminated"
    r"|read version: \d+ is not as new as written version: \d+"
    # The watch of a definition that has just gone.
    r"|the server could not find the requested resource"
    # An owner of a kind that has come since the collector looked, every 30 seconds.
    r"|unable to get REST mapping"
    # Of 1.37 at its start, whoever serves it.
    r"|The manifest file is empty, ignoring"
)
"""What these programs complain of while everything is well."""

WIDGETS: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Widget", "plural": "widgets"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }
        ],
    },
}
STORAGE: dict[str, Any] = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "fast"},
    "provisioner": "example.com/fast",
    "volumeBindingMode": "WaitForFirstConsumer",
}
DATABASE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db"},
    "spec": {
        "serviceName": "db",
        "replicas": 2,
        "selector": {"matchLabels": {"app": "db"}},
        "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {
                "containers": [
                    {
                        "name": "db",
                        "image": "db",
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    }
                ]
            },
        },
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "fast",
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            }
        ],
    },
}


@pytest.fixture(scope="module", params=VERSIONS)
def kubernetes(request: pytest.FixtureRequest) -> str:
    """The minor version of both sides."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    wanted = request.config.getoption("kubernetes")
    if wanted and wanted != request.param:
        pytest.skip(f"--kubernetes asks for {wanted}")
    return str(request.param)


@pytest.fixture(scope="module", params=["", "--rbac"], ids=["for everybody", "with RBAC"])
def served(
    request: pytest.FixtureRequest,
    kubernetes: str,
    cluster_report: ClusterReport,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    """A simulated cluster whose scheduler and controllers are the real ones."""
    folder = tmp_path_factory.mktemp("real-control-plane")
    without = f"--without=scheduler,controllers {request.param}".split()
    kubectl = Path(kubectl_program(cluster_report.add))
    with simulated(kubernetes, folder, kubectl, *without) as cluster:
        with control_plane(cluster, kubernetes, folder, cluster_report):
            yield cluster
            # Before they end, which they complain of too.
            said = complaints(folder / f"{SCHEDULER}.log", folder / f"{CONTROLLERS}.log")
        assert said == []


def control_plane(
    cluster: Cluster, kubernetes: str, folder: Path, report: ClusterReport
) -> ExitStack:
    """The two programs, until the end of a `with` block; their logs are in the folder."""
    key = folder / "accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    own = {
        CONTROLLERS: [
            "--use-service-account-credentials",
            f"--service-account-private-key-file={key}",
        ]
    }
    running = ExitStack()
    for name in (SCHEDULER, CONTROLLERS):
        config = folder / f"{name}.kubeconfig"
        config.write_text(impersonating(cluster, f"system:{name}"))
        command = [
            program(name, report.add, kubernetes),
            f"--kubeconfig={config}",
            "--bind-address=127.0.0.1",
            "--secure-port=0",
            *own.get(name, ()),
        ]
        running.enter_context(process(command, folder / f"{name}.log"))
    return running


def impersonating(cluster: Cluster, user: str) -> str:
    config = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json"))
    config["users"][0]["user"]["as"] = user
    return json.dumps(config)


def complaints(*logs: Path) -> list[str]:
    """The errors and warnings in these logs that a real API server would not bring about."""
    lines = [line for log in logs for line in log.read_text().splitlines()]
    return [
        line
        for line in lines
        if re.match("[EWF][0-9]{4} ", line) and not ALSO_ON_A_REAL_CLUSTER.search(line)
    ]


@pytest.fixture
def namespace(served: Cluster) -> Iterator[str]:
    with served.namespace() as name:
        wait_for_account(served, name)
        yield name


def wait_for_account(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", namespace)


def names(cluster: Cluster, what: str, namespace: str) -> list[str]:
    items = cluster.get(what, "-n", namespace)["items"]
    return sorted(item["metadata"]["name"] for item in items)


def test_both_hold_their_leases(served: Cluster) -> None:
    def held() -> bool:
        return names(served, "leases", "kube-system") == [CONTROLLERS, SCHEDULER]

    wait_until("both have Leases", held)
    leases = served.get("leases", "-n", "kube-system")["items"]
    assert all(lease["spec"]["holderIdentity"] for lease in leases)


def test_a_deployment_becomes_pods_on_nodes_and_goes_with_them(
    served: Cluster, namespace: str
) -> None:
    own = ("-n", namespace)
    served.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=3", *own)
    served.kubectl("rollout", "status", "deployment/web", "--timeout=60s", *own)
    pods = served.get("pods", *own)["items"]
    assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 3
    nodes = {node["metadata"]["name"] for node in served.get("nodes")["items"]}
    assert {pod["spec"]["nodeName"] for pod in pods} <= nodes
    events = served.get("events", *own)["items"]
    assert {(event["reason"], event["reportingComponent"]) for event in events} >= {
        ("ScalingReplicaSet", "deployment-controller"),
        ("SuccessfulCreate", "replicaset-controller"),
        ("Scheduled", "default-scheduler"),
        ("Started", "kubelet"),
    }
    served.kubectl("set", "image", "deployment/web", "nginx=nginx:2", *own)
    served.kubectl("rollout", "status", "deployment/web", "--timeout=90s", *own)
    served.kubectl("delete", "deployment", "web", "--cascade=foreground", "--timeout=60s", *own)
    assert names(served, "replicasets", namespace) == []
    assert names(served, "pods", namespace) == []


def test_a_pod_that_fits_nowhere_waits(served: Cluster, namespace: str) -> None:
    container = {"name": "c", "image": "c", "resources": {"requests": {"cpu": "100"}}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "big", "namespace": namespace},
        "spec": {"containers": [container]},
    }
    served.apply(pod)
    unschedulable = "--for=jsonpath={.status.conditions[?(@.type=='PodScheduled')].status}=False"
    served.kubectl("wait", unschedulable, "pod/big", "-n", namespace, "--timeout=30s")
    (condition,) = served.get("pod", "big", "-n", namespace)["status"]["conditions"]
    assert condition["reason"] == "Unschedulable"
    assert condition["message"].startswith("0/3 nodes are available: 3 Insufficient cpu.")


def test_a_stateful_set_gets_volumes(served: Cluster, namespace: str) -> None:
    metadata = {**DATABASE["metadata"], "namespace": namespace}
    served.apply(STORAGE, {**DATABASE, "metadata": metadata})
    served.kubectl("rollout", "status", "statefulset/db", "-n", namespace, "--timeout=90s")
    claims = served.get("persistentvolumeclaims", "-n", namespace)["items"]
    assert [claim["status"]["phase"] for claim in claims] == ["Bound", "Bound"]


def test_what_an_object_of_a_definition_owns_goes_with_it(served: Cluster, namespace: str) -> None:
    served.apply(WIDGETS)
    served.kubectl("wait", "--for=condition=Established", "crd/widgets.example.com")
    typed = {"apiVersion": "example.com/v1", "kind": "Widget"}
    served.apply({**typed, "metadata": {"name": "w", "namespace": namespace}})
    uid = served.get("widget", "w", "-n", namespace)["metadata"]["uid"]
    owned = {
        "name": "owned",
        "namespace": namespace,
        "ownerReferences": [{**typed, "name": "w", "uid": uid}],
    }
    served.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": owned})
    served.kubectl("delete", "widget", "w", "-n", namespace)
    # The garbage collector looks for new kinds twice a minute.
    served.kubectl("wait", "--for=delete", "configmap/owned", "-n", namespace, "--timeout=90s")


def test_a_namespace_goes_with_everything_in_it(served: Cluster) -> None:
    with served.namespace() as name:
        wait_for_account(served, name)
        served.kubectl("create", "deployment", "web", "--image=nginx", "-n", name)
        served.kubectl("rollout", "status", "deployment/web", "-n", name, "--timeout=60s")
        served.kubectl("delete", "namespace", name, "--timeout=120s")
        assert name not in names(served, "namespaces", "")
        served.kubectl("create", "namespace", name)


@pytest.mark.parametrize(
    "real", [False, True], ids=["with simulated controllers", "with the real control plane"]
)
def test_kwok_runs_the_nodes(
    kubernetes: str, cluster_report: ClusterReport, tmp_path: Path, *, real: bool
) -> None:
    without = "--without=kubelet,scheduler,controllers" if real else "--without=kubelet"
    kubectl = Path(kubectl_program(cluster_report.add))
    with ExitStack() as running:
        cluster = running.enter_context(simulated(kubernetes, tmp_path, kubectl, without))
        if real:
            running.enter_context(control_plane(cluster, kubernetes, tmp_path, cluster_report))
        kwok = kwok_command(program("kwok", cluster_report.add), cluster.kubeconfig)
        running.enter_context(process(kwok, tmp_path / "kwok.log"))
        for node in ("plain-1", "plain-2", "gpu-1"):
            cluster.kubectl("cordon", node)
        made = ["fake-0", "fake-1"]
        # One by one: for a List kubectl wants OpenAPI v2 in protocol buffers, which 501 refuses.
        cluster.apply(*(fake_node(name) for name in made))
        cluster.kubectl("wait", "--for=condition=Ready", "nodes", "-l", "type=kwok")
        cluster.kubectl("wait", "--for=create", "serviceaccount/default")
        cluster.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=4")
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        pods = cluster.get("pods")["items"]
        assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 4
        assert {pod["spec"]["nodeName"] for pod in pods} == set(made)
        assert names(cluster, "leases", "kube-node-lease") == made
        cluster.kubectl("delete", "deployment", "web")
        cluster.kubectl("wait", "--for=delete", "pods", "--all", "--timeout=60s")
    said = [line for line in (tmp_path / "kwok.log").read_text().splitlines() if "ERROR" in line]
    assert [line for line in said if not ALSO_ON_A_REAL_CLUSTER.search(line)] == []
