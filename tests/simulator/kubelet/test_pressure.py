"""A node that lacks memory evicts pods in the order of a real kubelet, until it has enough."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet import Workload
from hourglass_simulator.kubelet.pressure import MemoryPressure

MIB = 1 << 20
# Name, what it uses and requests in MiB, its PriorityClass.
PODS = [
    ("within-its-request", 300, 400, ""),
    ("important", 900, 100, "high"),
    ("much-beyond", 500, 100, ""),
    ("a-little-beyond", 450, 100, ""),
    ("critical", 2000, 0, "system-node-critical"),
    ("modest", 10, 400, ""),
]
ORDER = ["much-beyond", "a-little-beyond", "important", "within-its-request", "modest"]


def pod(name: str, requested: int, priority: str) -> JSON:
    resources = {"requests": {"memory": f"{requested}Mi"}} if requested else {}
    container = {"name": "main", "image": f"{name}:1", "resources": resources}
    spec = {"containers": [container], "priorityClassName": priority, "restartPolicy": "Never"}
    return {"metadata": {"name": name}, "spec": spec}


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.add_node("n")
    made.api.create("priorityclasses", {"metadata": {"name": "high"}, "value": 1000})
    for name, used, requested, priority in PODS:
        made.images.behave(f"{name}:1", Workload(memory=used * MIB, stop_code=1))
        made.api.create("pods", pod(name, requested, priority), namespace="default")
    made.run_until(5)
    return made


def evicted(cluster: Cluster) -> list[str]:
    events = sorted(cluster.api.list("events").items, key=lambda e: str(e["firstTimestamp"]))
    return [e["involvedObject"]["name"] for e in events if e["reason"] == "Evicted"]


def under_pressure(cluster: Cluster) -> bool:
    conditions = cluster.api.get("nodes", "", "n")["status"]["conditions"]
    return any((c["type"], c["status"]) == ("MemoryPressure", "True") for c in conditions)


def test_pods_are_evicted_by_rank_one_at_a_time(cluster: Cluster) -> None:
    MemoryPressure(cluster.clock, cluster.kubelets, "n", 10_000 * MIB)
    cluster.run_until(6)
    assert (evicted(cluster), under_pressure(cluster)) == (ORDER[:1], True)
    cluster.run_until(100)
    assert evicted(cluster) == ORDER


def test_evictions_end_with_enough_memory_and_the_condition_later(cluster: Cluster) -> None:
    MemoryPressure(cluster.clock, cluster.kubelets, "n", 600 * MIB)
    cluster.run_until(300)
    assert (evicted(cluster), under_pressure(cluster)) == (ORDER[:2], True)
    cluster.run_until(330)
    assert not under_pressure(cluster)


def test_it_can_be_ended_before(cluster: Cluster) -> None:
    pressure = MemoryPressure(cluster.clock, cluster.kubelets, "n", 10_000 * MIB)
    cluster.run_until(6)
    pressure.end()
    cluster.run_until(100)
    assert (evicted(cluster), under_pressure(cluster)) == (ORDER[:1], False)


def test_the_message_says_what_was_used_and_requested(cluster: Cluster) -> None:
    MemoryPressure(cluster.clock, cluster.kubelets, "n", MIB)
    cluster.run_until(10)
    message = cluster.api.get("pods", "default", "much-beyond")["status"]["message"]
    used = "Container main was using 512000Ki, request is 100Mi, has larger consumption of memory. "
    assert message.endswith(used)
