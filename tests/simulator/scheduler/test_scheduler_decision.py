"""Single decisions, without an API server."""

from dataclasses import replace

from hourglass_kube.node import NodeView
from hourglass_simulator.scheduler.decision import schedule
from hourglass_simulator.scheduler.placement import Placements
from hourglass_simulator.scheduler.pod import PodInfo, pod_info
from hourglass_simulator.scheduler.snapshot import Snapshot


def node(name: str, cpu: str = "4") -> NodeView:
    return NodeView(name, {}, {"cpu": cpu, "memory": "8Gi", "pods": "10"})


def pod(name: str, cpu: str = "1") -> PodInfo:
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    meta = {"uid": name, "name": name, "namespace": "default"}
    return pod_info({"metadata": meta, "spec": {"containers": [container]}})


def test_the_node_that_was_made_free_comes_before_a_better_one() -> None:
    snapshot = Snapshot()
    snapshot.set_node(node("a"))
    snapshot.set_node(node("b", cpu="8"))
    placements = Placements(snapshot)
    assert schedule(pod("p"), snapshot, placements).node == "b"
    assert schedule(replace(pod("p"), nominated="a"), snapshot, placements).node == "a"


def test_of_equal_nodes_the_first_by_name_is_taken() -> None:
    snapshot = Snapshot()
    for name in ("c", "a", "b"):
        snapshot.set_node(node(name))
    assert schedule(pod("p"), snapshot, Placements(snapshot)).node == "a"


def test_a_decision_leaves_everything_as_it_is() -> None:
    snapshot = Snapshot()
    snapshot.set_node(node("a"))
    placements = Placements(snapshot)
    first = schedule(pod("p", cpu="5"), snapshot, placements)
    assert first == schedule(pod("p", cpu="5"), snapshot, placements)
    assert first.message.startswith("0/1 nodes are available: 1 Insufficient cpu.")


def test_changes_are_seen_after_any_number_of_them() -> None:
    snapshot = Snapshot()
    snapshot.set_node(node("a"))
    placements = Placements(snapshot)
    assert schedule(pod("p"), snapshot, placements).node == "a"
    for turn in range(50_010):
        snapshot.place(pod_in_the_way := pod("x", cpu="4"), "a")
        snapshot.remove(pod_in_the_way.uid)
        if turn == 50_000:
            assert not snapshot.era
            assert schedule(pod("p"), snapshot, placements).node == "a"
    snapshot.place(pod("x", cpu="4"), "a")
    assert snapshot.era
    assert schedule(pod("p"), snapshot, placements).node is None
