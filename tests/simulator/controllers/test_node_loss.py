"""Nodes that fall silent, come back, are cordoned, drained or removed."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.controllers import cordon, drain, uncordon


def pod(name: str, node: str = "node-1", **spec: Any) -> JSON:
    container = {"name": "performer", "image": "performer:1"}
    return {
        "metadata": {"name": name},
        "spec": {"nodeName": node, "containers": [container], **spec},
    }


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    for number in range(1, 4):
        made.add_node(f"node-{number}")
    made.api.create("pods", pod("p"), namespace="default")
    made.run_until(5)
    return made


def condition(obj: JSON, kind: str) -> JSON:
    conditions: list[JSON] = obj["status"]["conditions"]
    [found] = [c for c in conditions if c["type"] == kind]
    return found


def taints(cluster: Cluster, node: str) -> list[tuple[str, str]]:
    found = cluster.api.get("nodes", "", node)["spec"].get("taints") or []
    return [(t["key"].removeprefix("node.kubernetes.io/"), t["effect"]) for t in found]


def present(cluster: Cluster) -> bool:
    return bool(cluster.api.list("pods", "default").items)


def test_a_silent_node_is_unknown_after_fifty_seconds_and_its_pods_are_unready(
    cluster: Cluster,
) -> None:
    cluster.kubelets.stop("node-1")
    cluster.run_until(54)
    assert condition(cluster.api.get("nodes", "", "node-1"), "Ready")["status"] == "True"
    cluster.run_until(61)
    ready = condition(cluster.api.get("nodes", "", "node-1"), "Ready")
    assert (ready["status"], ready["reason"], ready["message"]) == (
        "Unknown",
        "NodeStatusUnknown",
        "Kubelet stopped posting node status.",
    )
    found = cluster.api.get("pods", "default", "p")
    assert condition(found, "Ready")["status"] == "False"
    assert condition(found, "ContainersReady")["status"] == "True"
    assert taints(cluster, "node-1") == [
        ("unreachable", "NoSchedule"),
        ("unreachable", "NoExecute"),
    ]


def test_its_pods_are_deleted_five_minutes_later_and_go_when_it_is_back(cluster: Cluster) -> None:
    cluster.kubelets.stop("node-1")
    cluster.run_until(360)
    assert "deletionTimestamp" not in cluster.api.get("pods", "default", "p")["metadata"]
    cluster.run_until(370)
    found = cluster.api.get("pods", "default", "p")
    assert "deletionTimestamp" in found["metadata"]
    target = condition(found, "DisruptionTarget")
    assert (target["reason"], target["message"]) == (
        "DeletionByTaintManager",
        "Taint manager: deleting due to NoExecute taint",
    )
    cluster.run_until(1000)
    assert present(cluster)
    cluster.kubelets.start("node-1")
    cluster.run_until(1060)
    assert not present(cluster)
    assert taints(cluster, "node-1") == []


def test_a_node_that_is_back_in_time_keeps_its_pods(cluster: Cluster) -> None:
    cluster.kubelets.stop("node-1")
    cluster.run_until(200)
    cluster.kubelets.start("node-1")
    cluster.run_until(1000)
    found = cluster.api.get("pods", "default", "p")
    assert condition(found, "Ready")["status"] == "True"
    assert found["status"]["containerStatuses"][0]["restartCount"] == 0
    # The kubelet never saw it unready, so its time is the old one, as on a real node.
    assert condition(found, "Ready")["lastTransitionTime"] < "2026-01-01T00:00:05Z"
    assert taints(cluster, "node-1") == []
    reported = [e["message"] for e in cluster.api.list("events").items]
    assert "Cancelling deletion of Pod default/p" in reported


def test_a_short_silence_goes_unnoticed(cluster: Cluster) -> None:
    cluster.kubelets.stop("node-1")
    cluster.run_until(40)
    cluster.kubelets.start("node-1")
    cluster.run_until(200)
    assert condition(cluster.api.get("nodes", "", "node-1"), "Ready")["status"] == "True"
    assert condition(cluster.api.get("pods", "default", "p"), "Ready")["status"] == "True"


def test_a_pod_deleted_on_a_silent_node_waits_for_it(cluster: Cluster) -> None:
    cluster.kubelets.stop("node-1")
    cluster.api.delete("pods", "default", "p")
    cluster.run_until(300)
    assert present(cluster)
    cluster.api.delete("pods", "default", "p", grace_period_seconds=0)
    assert not present(cluster)


def test_nothing_is_evicted_when_all_nodes_are_silent(cluster: Cluster) -> None:
    for number in range(1, 4):
        cluster.kubelets.stop(f"node-{number}")
    cluster.run_until(1000)
    assert taints(cluster, "node-1") == [("unreachable", "NoSchedule")]
    assert "deletionTimestamp" not in cluster.api.get("pods", "default", "p")["metadata"]


def test_pods_of_a_removed_node_are_removed_within_a_minute_and_a_half(cluster: Cluster) -> None:
    last: list[JSON] = []
    cluster.api.watch("pods", sink=lambda event: last.append(event.object))
    cluster.remove_node("node-1")
    cluster.run_until(45)
    assert present(cluster)
    cluster.run_until(90)
    assert not present(cluster)
    assert last[-1]["status"]["phase"] == "Failed"
    target = condition(last[-1], "DisruptionTarget")
    assert (target["reason"], target["message"]) == (
        "DeletionByPodGC",
        "PodGC: node no longer exists",
    )


def test_a_cordoned_node_is_tainted_and_cleared(cluster: Cluster) -> None:
    cordon(cluster.api, "node-1")
    cluster.run_until(6)
    assert taints(cluster, "node-1") == [("unschedulable", "NoSchedule")]
    uncordon(cluster.api, "node-1")
    cluster.run_until(7)
    assert taints(cluster, "node-1") == []
    assert present(cluster)


def test_a_drained_node_evicts_its_pods(cluster: Cluster) -> None:
    drain(cluster.clock, cluster.api, "node-1")
    found = cluster.api.get("pods", "default", "p")
    assert condition(found, "DisruptionTarget")["reason"] == "EvictionByEvictionAPI"
    cluster.run_until(40)
    assert not present(cluster)


def test_a_refused_eviction_is_repeated(cluster: Cluster) -> None:
    class Refuse:
        left = 2

        def before(self, call: Any) -> None:
            if call.subresource == "eviction" and self.left:
                self.left -= 1
                raise APIError(429, "TooManyRequests", "disruption budget")

        def after(self, call: Any) -> None:
            pass

    cluster.api.interceptors.append(Refuse())
    drain(cluster.clock, cluster.api, "node-1")
    cluster.run_until(9)
    assert "deletionTimestamp" not in cluster.api.get("pods", "default", "p")["metadata"]
    cluster.run_until(40)
    assert not present(cluster)


def test_a_taint_that_is_not_tolerated_evicts_at_once(cluster: Cluster) -> None:
    taint = {"key": "maintenance", "effect": "NoExecute"}
    cluster.api.patch("nodes", "", "node-1", {"spec": {"taints": [taint]}})
    cluster.run_until(7)
    assert not present(cluster)


def test_nodes_of_a_zone_are_tainted_one_after_another(cluster: Cluster) -> None:
    cluster.kubelets.stop("node-1")
    cluster.kubelets.stop("node-2")
    cluster.run_until(61)
    tainted = [len(taints(cluster, name)) for name in ("node-1", "node-2")]
    assert tainted == [2, 1]
    cluster.run_until(71)
    assert len(taints(cluster, "node-2")) == 2


def test_a_node_that_is_registered_anew_in_time_keeps_its_pods(cluster: Cluster) -> None:
    cluster.remove_node("node-1")
    cluster.run_until(20)
    cluster.add_node("node-1")
    cluster.run_until(200)
    assert condition(cluster.api.get("pods", "default", "p"), "Ready")["status"] == "True"
    cluster.api.delete("pods", "default", "p")
    cluster.run_until(240)
    assert not present(cluster)
