"""Workloads on a whole simulated cluster: what the recorded sequences cannot show."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.controllers import drain


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    for name in ("one", "two"):
        made.add_node(name)
    made.images.push("*")
    return made


def _template(labels: JSON) -> JSON:
    containers = [{"name": "main", "image": "web:v1"}]
    return {"metadata": {"labels": labels}, "spec": {"containers": containers}}


def deployment(name: str, replicas: int) -> JSON:
    labels = {"app": name}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": _template(labels),
    }
    return {"metadata": {"name": name}, "spec": spec}


NEW_IMAGE = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:v2"}]}}}}


def _writes_of_a_rollout(deployments: int) -> float:
    """Changes of the store for each Deployment that takes a new image."""
    cluster = Cluster()
    cluster.add_node("big", cpu="1000", memory="4000Gi", pods=1000)
    cluster.images.push("*")
    for number in range(deployments):
        cluster.api.create("deployments", deployment(f"d-{number}", 4), namespace="default")
    cluster.run_until(120)
    before = int(cluster.api.resource_version)
    for number in range(deployments):
        cluster.api.patch("deployments", "default", f"d-{number}", NEW_IMAGE)
    cluster.run_until(600)
    found = cluster.api.list("deployments", "default").items
    assert {d["status"]["updatedReplicas"] for d in found} == {4}
    return (int(cluster.api.resource_version) - before) / deployments


def test_a_rollout_costs_the_same_beside_others() -> None:
    assert _writes_of_a_rollout(12) <= 1.2 * _writes_of_a_rollout(3)


def test_a_drain_never_breaks_a_budget(cluster: Cluster) -> None:
    cluster.api.create("deployments", deployment("web", 4), namespace="default")
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    budget = {"metadata": {"name": "web"}, "spec": spec}
    cluster.api.create("poddisruptionbudgets", budget, namespace="default")
    cluster.run_until(30)
    fewest = 4
    drain(cluster.clock, cluster.api, "one")
    for second in range(31, 200):
        cluster.run_until(second)
        status = cluster.api.get("deployments", "default", "web")["status"]
        fewest = min(fewest, status.get("readyReplicas", 0))
    pods = cluster.api.list("pods", "default").items
    assert {pod["spec"]["nodeName"] for pod in pods} == {"two"}
    assert (len(pods), fewest) == (4, 3)


def test_a_claim_gets_a_volume_from_the_provisioner(cluster: Cluster) -> None:
    cluster.api.create(
        "storageclasses", {"metadata": {"name": "fast"}, "provisioner": "example.com/fast"}
    )
    spec = {
        "storageClassName": "fast",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    claim = {"metadata": {"name": "data"}, "spec": spec}
    cluster.api.create("persistentvolumeclaims", claim, namespace="default")
    cluster.run_until(20)
    bound = cluster.api.get("persistentvolumeclaims", "default", "data")
    volume = cluster.api.get("persistentvolumes", "", bound["spec"]["volumeName"])
    assert (bound["status"]["phase"], volume["status"]["phase"]) == ("Bound", "Bound")
    cluster.api.delete("persistentvolumeclaims", "default", "data")
    cluster.run_until(40)
    assert not cluster.api.list("persistentvolumes").items


def test_similar_events_become_one(cluster: Cluster) -> None:
    cluster.api.create("deployments", deployment("web", 14), namespace="default")
    cluster.run_until(30)
    events = cluster.api.list("events", "default").items
    created = [each for each in events if each["reason"] == "SuccessfulCreate"]
    combined = [e for e in created if e["message"].startswith("(combined from similar events): ")]
    assert (len(created), [each["count"] for each in combined]) == (10, [5])


def test_a_cluster_without_workloads_gets_no_writes_of_the_controllers(cluster: Cluster) -> None:
    users: set[str] = set()
    cluster.api.auditors.append(lambda audit: users.add(audit.call.user))
    cluster.run_until(3600)
    assert not {user for user in users if user.startswith("system:serviceaccount:")}
