"""`check --drain` and `--without`: what becomes of the pods of a node.

The snapshots are taken of a simulated cluster on which workloads run, as kubectl prints them.
"""

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hourglass_kube.types import JSON
from hourglass_simulator.cli import main
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet.workload import Workload

ASKS = {"requests": {"cpu": "1"}}
PRINTED = (
    "nodes",
    "pods",
    "namespaces",
    "priorityclasses",
    "serviceaccounts",
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "controllerrevisions",
    "jobs",
    "persistentvolumeclaims",
    "persistentvolumes",
    "storageclasses",
    "poddisruptionbudgets",
)


def workload(kind: str, name: str, container: JSON | None = None, **spec: Any) -> JSON:
    labels = {"app": name}
    containers = [{"name": "c", "image": f"{name}:1", "resources": ASKS, **(container or {})}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    selector = {} if kind == "Job" else {"selector": {"matchLabels": labels}}
    return {"metadata": {"name": name}, "spec": {**selector, "template": template, **spec}}


@cache
def running() -> list[JSON]:
    """Three nodes of 4 CPUs with a Deployment, a StatefulSet, a DaemonSet, a Job and a bare pod."""
    cluster = Cluster()
    cluster.images.behave("batch:1", Workload())
    api = cluster.api
    cluster.images.behave("batch:1", Workload())
    for name in ("a", "b", "c"):
        cluster.add_node(name, cpu="4")
    api.create("storageclasses", {"metadata": {"name": "ssd"}, "provisioner": "csi.example.com"})
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "ssd",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    job = workload("Job", "batch")
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    claims = [{"metadata": {"name": "data"}, "spec": claim}]
    objects = {
        "deployments": workload("Deployment", "web", replicas=2),
        "statefulsets": workload(
            "StatefulSet", "db", serviceName="db", volumeClaimTemplates=claims
        ),
        "daemonsets": workload("DaemonSet", "logs", {"resources": {}}),
        "jobs": job,
        "pods": {
            "metadata": {"name": "bare"},
            "spec": {"nodeName": "a", "containers": [{"name": "c", "image": "i:1"}]},
        },
    }
    for resource, obj in objects.items():
        api.create(resource, obj, namespace="default")
    budget = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1}
    api.create(
        "poddisruptionbudgets", {"metadata": {"name": "web"}, "spec": budget}, namespace="default"
    )
    cluster.settle()
    return [obj for resource in PRINTED for obj in api.list(resource).items]


def node_of(items: list[JSON], prefix: str) -> str:
    """Where the first pod of a name is."""
    return next(
        str(item["spec"]["nodeName"])
        for item in items
        if item["kind"] == "Pod" and item["metadata"]["name"].startswith(prefix)
    )


def check(folder: Path, items: list[JSON], *options: str) -> Result:
    file = folder / "cluster.yaml"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    command = ["check", "--cluster", str(file), *options]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def displaced(folder: Path, items: list[JSON], *options: str) -> dict[str, JSON]:
    """What became of each, by what it belongs to or by its name."""
    records = json.loads(check(folder, items, *options, "-o", "json").stdout)
    return {record["owner"] or record["name"]: record for record in records}


def taken(*without: str, **changed: Callable[[JSON], None]) -> list[JSON]:
    """The snapshot without kinds, and with objects of others changed."""
    items = copy.deepcopy([item for item in running() if item["kind"] not in without])
    for item in items:
        change = changed.get(item["kind"])
        if change is not None:
            change(item)
    return items


def tight(budget: JSON) -> None:
    budget["spec"]["minAvailable"] = budget["status"]["desiredHealthy"] = 2
    budget["metadata"]["generation"] = 2


def as_of_tomorrow(item: JSON) -> None:
    item["spec"]["template"]["spec"]["fieldOfTomorrow"] = 1


OWNERS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ControllerRevision", "Job")
VOLUMES = ("PersistentVolumeClaim", "PersistentVolume", "StorageClass")


SNAPSHOTS: dict[str, list[JSON]] = {
    "all": taken(),
    "no volumes": taken(*VOLUMES),
    "no owners": taken(*OWNERS),
    "no ReplicaSets": taken("ReplicaSet", "PersistentVolume", "StorageClass"),
    "no revisions": taken("ControllerRevision", StatefulSet=as_of_tomorrow),
}


@pytest.mark.parametrize(
    ("snapshot", "of", "option", "expected"),
    [
        pytest.param("all", "Deployment/web", "--drain", "moves", id="a Deployment makes another"),
        pytest.param("all", "StatefulSet/db", "--drain", "moves", id="a StatefulSet makes it anew"),
        pytest.param(
            "all", "StatefulSet/db", "--without", "moves", id="also when its node is gone"
        ),
        pytest.param("all", "Job/batch", "--drain", "moves", id="a Job makes another"),
        pytest.param("all", "bare", "--drain", "gone", id="without a controller it is gone"),
        pytest.param(
            "no volumes", "StatefulSet/db", "--drain", "moves", id="claims are taken to exist"
        ),
        pytest.param(
            "no owners", "ReplicaSet/web", "--drain", "moves", id="owners are taken to exist"
        ),
        pytest.param(
            "no owners", "StatefulSet/db", "--drain", "moves", id="also those of a stable name"
        ),
        pytest.param(
            "no ReplicaSets",
            "ReplicaSet/web",
            "--drain",
            "moves",
            id="a Deployment without its ReplicaSets makes nothing beside",
        ),
        pytest.param(
            "no ReplicaSets", "StatefulSet/db", "--drain", "moves", id="volumes are taken to exist"
        ),
        pytest.param(
            "no revisions",
            "StatefulSet/db",
            "--drain",
            "moves",
            id="a template that reads otherwise here is no new one",
        ),
    ],
)
def test_pods_find_their_places(
    tmp_path: Path, snapshot: str, of: str, option: str, expected: str
) -> None:
    items = SNAPSHOTS[snapshot]
    node = node_of(items, of.rpartition("/")[2])
    found = displaced(tmp_path, items, option, node)
    key = next(key for key in found if key.startswith(of))
    assert found[key]["outcome"] == expected, found[key]
    assert (found[key]["to"] not in ("", node)) is (expected == "moves")
    pods = [item for item in items if item["kind"] == "Pod"]
    on_node = [pod for pod in pods if pod["spec"]["nodeName"] == node]
    assert len(found) == len(on_node), "one of the other nodes has moved, too"


@pytest.mark.parametrize(
    ("option", "outcome"), [("--drain", "stays"), ("--without", "gone")], ids=["drained", "gone"]
)
def test_a_daemon_stays_as_long_as_its_node(tmp_path: Path, option: str, outcome: str) -> None:
    assert displaced(tmp_path, taken(), option, "b")["DaemonSet/logs"]["outcome"] == outcome


@pytest.mark.parametrize(
    "items",
    [
        pytest.param(taken(PodDisruptionBudget=tight), id="as the controller computes it"),
        pytest.param(
            taken(*OWNERS, PodDisruptionBudget=tight), id="as it was computed by absent owners"
        ),
    ],
)
def test_a_budget_that_blocks_is_named(tmp_path: Path, items: list[JSON]) -> None:
    result = check(tmp_path, items, "--drain", node_of(items, "web"))
    assert result.exit_code == 1
    assert "The disruption budget web needs 2 healthy pods and has 2 currently" in result.stdout


def test_a_budget_lets_pods_go_one_after_the_other(tmp_path: Path) -> None:
    items = taken()
    pods = [item for item in items if item["kind"] == "Pod"]
    nodes = {p["spec"]["nodeName"] for p in pods if p["metadata"]["name"].startswith("web-")}
    result = check(tmp_path, items, *(f"--drain={node}" for node in sorted(nodes)))
    assert "not evicted" not in result.stdout


def test_why_a_pod_finds_no_place_is_said(tmp_path: Path) -> None:
    items = taken()
    options = [f"--drain={node}" for node in ("a", "b", "c")]
    result = check(tmp_path, items, *options)
    assert "0/3 nodes are available: 3 node(s) were unschedulable" in result.stdout
    assert result.exit_code == 1


def test_what_was_taken_to_exist_is_said(tmp_path: Path) -> None:
    result = check(tmp_path, taken(*VOLUMES), "--drain", "a")
    says = "not in the file, and taken to exist: 1 × PersistentVolumeClaim, 1 × StorageClass"
    assert says in result.output


def test_a_pod_that_makes_room_is_reported(tmp_path: Path) -> None:
    items = taken()
    node = node_of(items, "db-0")
    high = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "high"},
        "value": 1000,
    }

    def costly(spec: JSON) -> None:
        spec |= {"priority": 1000, "priorityClassName": "high"}
        spec["containers"][0]["resources"] = {"requests": {"cpu": "4"}}

    for item in items:
        if item["metadata"]["name"] == "db-0":
            costly(item["spec"])
        elif item["kind"] == "StatefulSet":
            costly(item["spec"]["template"]["spec"])
        elif item["kind"] == "Node" and item["metadata"]["name"] == node:
            item["status"]["allocatable"]["cpu"] = item["status"]["capacity"]["cpu"] = "16"
    found = displaced(tmp_path, [*items, high], "--drain", node)
    assert found["StatefulSet/db"]["outcome"] == "moves"
    assert "preempted" in {each["cause"] for each in found.values()}
