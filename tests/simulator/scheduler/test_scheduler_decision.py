"""Single decisions, without an API server."""

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hourglass_kube.node import NodeView, Taint
from hourglass_simulator.scheduler import decision
from hourglass_simulator.scheduler.decision import Decision, node_scores
from hourglass_simulator.scheduler.placement import Placements
from hourglass_simulator.scheduler.pod import PodInfo, pod_info
from hourglass_simulator.scheduler.scores import total
from hourglass_simulator.scheduler.snapshot import Snapshot


def schedule(
    pod: PodInfo, snapshot: Snapshot, placements: Placements, chance: Random | None = None
) -> Decision:
    return decision.schedule(pod, snapshot, placements, chance or Random(0))


def node(name: str, cpu: str = "4") -> NodeView:
    return NodeView(name, {}, {"cpu": cpu, "memory": "8Gi", "pods": "10"})


def pod(name: str, cpu: str = "1", **spec: Any) -> PodInfo:
    container = {"name": "c", "image": "i:1", "resources": {"requests": {"cpu": cpu}}}
    meta = {"uid": name, "name": name, "namespace": "default"}
    return pod_info({"metadata": meta, "spec": {"containers": [container], **spec}})


def test_the_node_that_was_made_free_comes_before_a_better_one() -> None:
    snapshot = Snapshot()
    snapshot.set_node(node("a"))
    snapshot.set_node(node("b", cpu="8"))
    placements = Placements(snapshot)
    assert schedule(pod("p"), snapshot, placements).node == "b"
    assert schedule(replace(pod("p"), nominated="a"), snapshot, placements).node == "a"


def test_the_seed_chooses_between_equal_nodes_and_all_of_them_are_chosen() -> None:
    snapshot = Snapshot()
    for name in ("c", "a", "b"):
        snapshot.set_node(node(name))
    snapshot.set_node(node("small", cpu="2"))
    placements = Placements(snapshot)
    found = [schedule(pod("p"), snapshot, placements, Random(seed)).node for seed in range(40)]
    assert set(found) == {"a", "b", "c"}
    again = [schedule(pod("p"), snapshot, placements, Random(seed)).node for seed in range(40)]
    assert found == again


@given(
    st.lists(
        st.tuples(
            st.integers(1, 8),
            st.integers(0, 2),
            st.sampled_from(["", "ssd", "fast"]),
            st.integers(0, 3),
        ),
        min_size=2,
        max_size=12,
    )
)
def test_the_quick_way_takes_a_node_that_no_score_beats(
    nodes: list[tuple[int, int, str, int]],
) -> None:
    snapshot = Snapshot()
    for number, (cpu, taints, label, pods) in enumerate(nodes):
        view = NodeView(
            f"n{number}",
            {"disk": label} if label else {},
            {"cpu": str(cpu), "memory": "8Gi", "pods": "10"},
            tuple(Taint(f"k{i}", "", "PreferNoSchedule") for i in range(taints)),
        )
        snapshot.set_node(view, {"i:1": 700_000_000} if cpu % 2 else {})
        for i in range(pods):
            snapshot.place(pod(f"x{number}-{i}", cpu="250m"), view.name)
    preferred = [
        {
            "weight": w,
            "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": [v]}]},
        }
        for w, v in ((10, "ssd"), (3, "fast"))
    ]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    wanted = pod("p", affinity=affinity)
    placements = Placements(snapshot)
    chosen = schedule(wanted, snapshot, placements).node
    totals = {n: total(s) for n, s in node_scores(wanted, snapshot, placements).items()}
    if totals:
        assert chosen is not None
        assert totals[chosen] == max(totals.values())


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
