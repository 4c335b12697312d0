"""Node pools that grow and shrink, in a cluster without the operator."""

from dataclasses import replace
from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.nodepools.pool import Budget, ClusterAutoscaler, Karpenter, NodePool, Stage

SCALED = NodePool("pool", 0, 3, 60.0, ClusterAutoscaler(300.0, 300.0), cpu="4")
PROVISIONED = replace(SCALED, scaler=Karpenter(consolidate_after=60.0))


def cluster_with(*pools: NodePool) -> Cluster:
    cluster = Cluster()
    cluster.images.push("*")
    cluster.add_node("old", cpu="1")
    cluster.add_node_pools(pools)
    return cluster


def deployment(replicas: int, cpu: str = "2", **spec: Any) -> JSON:
    labels = {"app": "web"}
    container = {"name": "c", "image": "web:1", "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}
    return {
        "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def nodes(cluster: Cluster) -> list[str]:
    return [node["metadata"]["name"] for node in cluster.api.list("nodes").items]


def said(cluster: Cluster, reason: str) -> set[str]:
    events = cluster.api.list("events").items
    return {event["message"] for event in events if event["reason"] == reason}


def scaled(cluster: Cluster, replicas: int) -> None:
    patch = {"spec": {"replicas": replicas}}
    cluster.api.patch("deployments", "default", "web", patch)


@pytest.mark.parametrize("pool", [SCALED, PROVISIONED], ids=["autoscaler", "Karpenter"])
def test_a_pool_grows_by_what_pods_need_and_shrinks_to_what_they_need(pool: NodePool) -> None:
    cluster = cluster_with(pool)
    cluster.api.create("deployments", deployment(5), namespace="default")
    cluster.run_until(200)
    assert nodes(cluster) == ["old", "pool-1", "pool-2", "pool-3"]
    scaled(cluster, 1)
    cluster.run_until(2000)
    assert len(nodes(cluster)) == 2
    assert cluster.api.get("deployments", "default", "web")["status"]["readyReplicas"] == 1


@pytest.mark.parametrize(
    ("pool", "reason", "says"),
    [
        pytest.param(
            SCALED,
            "NotTriggerScaleUp",
            "pod didn't trigger scale-up: 1 Insufficient cpu",
            id="the autoscaler",
        ),
        pytest.param(
            PROVISIONED,
            "FailedScheduling",
            "Failed to schedule pod, no instance type has enough resources",
            id="Karpenter",
        ),
    ],
)
def test_a_pod_that_no_node_of_the_pool_could_take_is_told_so(
    pool: NodePool, reason: str, says: str
) -> None:
    cluster = cluster_with(pool)
    cluster.api.create("deployments", deployment(1, cpu="5"), namespace="default")
    cluster.run_until(100)
    assert says in said(cluster, reason)
    assert nodes(cluster) == ["old"]


def test_the_pool_that_wastes_least_grows() -> None:
    large = replace(SCALED, name="large", cpu="64")
    cluster = cluster_with(large, SCALED)
    cluster.api.create("deployments", deployment(1), namespace="default")
    cluster.run_until(100)
    assert nodes(cluster) == ["old", "pool-1"]
    assert said(cluster, "TriggeredScaleUp") == {"pod triggered scale-up: [{pool 0->1 (max: 3)}]"}


def test_a_node_is_used_only_when_it_has_come_up() -> None:
    stages = (Stage(30.0, devices=("example.com/fpga",)), Stage(20.0, taints=("agent",)))
    pool = replace(
        SCALED,
        devices={"example.com/fpga": 1},
        startup_taints=({"key": "agent", "effect": "NoSchedule"},),
        stages=stages,
    )
    cluster = cluster_with(pool)
    cluster.api.create("deployments", deployment(1), namespace="default")
    cluster.run_until(95)
    node = cluster.api.get("nodes", "", "pool-1")
    assert "example.com/fpga" not in node["status"]["capacity"]
    assert node["spec"]["taints"] == [{"key": "agent", "effect": "NoSchedule"}]
    cluster.run_until(125)
    node = cluster.api.get("nodes", "", "pool-1")
    assert (node["status"]["allocatable"]["example.com/fpga"], node["spec"]) == ("1", {})
    assert nodes(cluster) == ["old", "pool-1"], "another was launched while the first came up"


@pytest.mark.parametrize("pool", [SCALED, PROVISIONED], ids=["autoscaler", "Karpenter"])
def test_a_node_whose_pods_a_budget_holds_stays(pool: NodePool) -> None:
    cluster = cluster_with(pool)
    cluster.api.create("deployments", deployment(1, cpu="1500m"), namespace="default")
    cluster.run_until(200)
    cluster.add_node("roomy", cpu="8")
    budget = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1}
    cluster.api.create(
        "poddisruptionbudgets", {"metadata": {"name": "web"}, "spec": budget}, namespace="default"
    )
    cluster.run_until(1500)
    assert "pool-1" in nodes(cluster)
    assert not said(cluster, "ScaleDown")
    blocked = {"Pdb prevents pod evictions (PodDisruptionBudget=default/web)"}
    assert said(cluster, "DisruptionBlocked") == (blocked if pool is PROVISIONED else set())
    cluster.api.delete("poddisruptionbudgets", "default", "web")
    cluster.run_until(3000)
    assert nodes(cluster) == ["old", "roomy"]


def test_drift_replaces_nodes_within_the_budget() -> None:
    pool = replace(PROVISIONED, scaler=Karpenter(None, budgets=(Budget("1"),)), most=4)
    cluster = cluster_with(pool)
    cluster.api.create("deployments", deployment(2, cpu="3"), namespace="default")
    cluster.run_until(100)
    before = nodes(cluster)
    cluster.node_pools.drift("pool")
    fewest = 2
    for second in range(100, 600):
        cluster.run_until(second)
        disrupted = [
            node
            for node in cluster.api.list("nodes").items
            if any(t["key"] == "karpenter.sh/disrupted" for t in node["spec"].get("taints") or ())
        ]
        assert len(disrupted) <= 1, "more nodes go than the budget allows"
        ready = cluster.api.get("deployments", "default", "web")["status"].get("readyReplicas", 0)
        fewest = min(fewest, ready)
    assert not {*before} & {*nodes(cluster)} - {"old"}
    assert fewest == 1


def test_the_same_seed_gives_the_same_run() -> None:
    def played() -> list[JSON]:
        cluster = cluster_with(SCALED, replace(PROVISIONED, name="other"))
        cluster.api.create("deployments", deployment(5), namespace="default")
        cluster.run_until(900)
        return [*cluster.api.list("nodes").items, *cluster.api.list("events").items]

    assert played() == played()
