"""Nodes are drained by `kubectl drain`; callers of Performers that move first notice nothing."""

import time
from collections.abc import Iterator

import pytest
from kubernetes.client.exceptions import ApiException

from caller import Caller, calling
from clusters import Cluster, wait_until
from conftest import ClusterReport
from images import performer_image
from operators import Operator, Performers

# A drain asks for pods by label in all namespaces: no other test has a Performer of this name.
NAME, IMAGE, VERSION = "mover", "localhost/performer:v1", "v1"
DRAINS = 10
PATIENCE = 10
HOSTNAME = "kubernetes.io/hostname"
BUDGET = f"performer-{NAME}"


@pytest.fixture(scope="module")
def nodes(
    cluster: Cluster, dns: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[str]]:
    """Two nodes that really run the performer."""
    if cluster.second_node is None:
        pytest.skip(f"{cluster.provider} adds no second node: native does")
    archive = tmp_path_factory.mktemp("image") / "performer.tar"
    cluster.import_image(performer_image(archive, IMAGE, print))
    first = cluster.real_node
    with cluster.second_node([archive]) as second:
        yield [first, second]


def create(performers: Performers, nodes: list[str]) -> None:
    """The Performer, on one of these nodes."""
    expression = {"key": HOSTNAME, "operator": "In", "values": nodes}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    where = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    disruption = {"policy": "MoveFirst", "maxWaitSeconds": PATIENCE}
    performers.create(NAME, IMAGE, {"affinity": where}, disruption=disruption)
    performers.wait_settled({NAME: IMAGE})
    wait_until("there is a budget", lambda: bool(performers.items("poddisruptionbudgets")))


@pytest.fixture
def caller(
    cluster: Cluster, nodes: list[str], performers: Performers, operator: Operator
) -> Iterator[Caller]:
    """A client of the Performer."""
    create(performers, nodes)
    endpoint = performers.get(NAME)["status"]["grpcEndpoint"]
    with calling(cluster, performers, IMAGE, endpoint) as made:
        yield made


def drain(cluster: Cluster, node: str, seconds: int) -> float:
    """Drain a node of the Performer's pods, then let it take pods again; how many seconds it took.

    Errors: `KubectlError` if it is not empty in time.
    """
    began = time.monotonic()
    own = f"--pod-selector=performer-name={NAME}"
    try:
        cluster.kubectl("drain", node, own, f"--timeout={seconds}s", timeout=seconds + 10)
        return time.monotonic() - began
    finally:
        cluster.kubectl("uncordon", node)


def test_no_call_fails_during_ten_drains_in_a_row(
    cluster: Cluster, performers: Performers, caller: Caller, cluster_report: ClusterReport
) -> None:
    caller.wait_answered(VERSION)
    before = len(caller.seconds())
    times, phases = [], set()
    for _ in range(DRAINS):
        (pod,) = performers.pods(NAME)
        node = pod["spec"]["nodeName"]
        times.append(drain(cluster, node, 120))
        wait_until("one pod is left", lambda: len(performers.pods(NAME)) == 1)
        (moved,) = performers.pods(NAME)
        assert moved["spec"]["nodeName"] != node
        phases.add(performers.get(NAME)["status"]["phase"])
    caller.wait_answered(VERSION)
    answered = caller.answered_since(before)
    cluster_report.add(
        f"{DRAINS} drains, each in {min(times):.1f}-{max(times):.1f} s:"
        f" {answered.total()} calls, 0 failed"
    )
    assert phases == {"Running"}


def test_without_room_elsewhere_a_drain_ends_all_the_same(
    cluster: Cluster, nodes: list[str], performers: Performers, operator: Operator
) -> None:
    create(performers, nodes[:1])
    took = drain(cluster, nodes[0], PATIENCE + 60)
    assert took >= PATIENCE
    performers.wait_settled({NAME: IMAGE})
    wait_until("there is a budget", lambda: bool(performers.items("poddisruptionbudgets")))


def test_an_eviction_that_is_refused_leaves_no_trace(
    nodes: list[str], performers: Performers, operator: Operator
) -> None:
    # What docs/concepts.md says of evictions without a cordon.
    create(performers, nodes)
    (pod,) = performers.pods(NAME)

    def budget() -> tuple[int, str]:
        (found,) = performers.items("poddisruptionbudgets")
        status = found.get("status") or {}
        return status.get("currentHealthy", 0), found["metadata"]["resourceVersion"]

    wait_until("the budget counts the pod", lambda: budget()[0] == 1)
    before = budget()
    name = pod["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": performers.namespace},
    }
    with pytest.raises(ApiException, match="disruption budget") as refused:
        performers.call("POST", "pods", name, "eviction", eviction)
    assert refused.value.status == 429
    assert budget() == before
    (same,) = performers.pods(NAME)
    assert same["metadata"]["resourceVersion"] == pod["metadata"]["resourceVersion"]
