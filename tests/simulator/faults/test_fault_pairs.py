"""Any two faults at once, ended in either order, leave nothing behind."""

from itertools import combinations_with_replacement
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis.strategies import integers, lists, permutations, sampled_from
from troubled_backend import GPU, MIG, NODES, Quiet, nodes_of, parameters, serving, wellness

from hourglass_kube.types import JSON
from hourglass_simulator.faults import REGISTRY, inject
from hourglass_simulator.faults.holds import Holds
from hourglass_simulator.faults.reference import example
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario.cluster import Cluster

PAIRS = list(combinations_with_replacement(REGISTRY, 2))
# A fixed part of them, spread evenly: all together would take a minute.
SLICES = [PAIRS[start::12][:12] for start in range(12)]


def played(first: str, other: str, *, first_ends_first: bool) -> tuple[JSON, JSON]:
    """How things were before the faults and how they are after."""
    backend = serving()
    before = wellness(backend)
    undo = [inject(name, backend.target, parameters(name), "0") for name in (first, other)]
    backend.cluster.run_until(20)
    for end in undo if first_ends_first else reversed(undo):
        end()
        backend.cluster.run_until(backend.now + 15)
    backend.cluster.run_until(500)
    return before, wellness(backend)


@pytest.mark.parametrize("number", range(len(SLICES)))
def test_two_faults_at_once_leave_nothing_behind(number: int) -> None:
    for place, (first, other) in enumerate(SLICES[number]):
        before, after = played(first, other, first_ends_first=place % 2 == 0)
        assert after == before, (first, other, place % 2)


OF_ONE_NODE: dict[str, JSON] = {
    "device-plugin-gone": {"node": "gpu-1"},
    "devices-reconfigured": {"node": "gpu-1", "into": {MIG: 7}, "labels": {MIG: "yes"}},
    "devices-unhealthy": {"node": "gpu-1", "count": 2},
    "label-gone": {"node": "gpu-1", "label": "accelerator"},
    "node-clock": {"node": "gpu-1", "behind": "10m"},
    "memory-pressure": {"node": "gpu-1"},
    "node-cordoned": {"node": "gpu-1"},
    "node-drained": {"node": "gpu-1"},
    "node-lost": {"node": "gpu-1"},
    "sandbox-fails": {"node": "gpu-1"},
}


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    others=lists(sampled_from(sorted(OF_ONE_NODE)), min_size=1, max_size=2),
    place=integers(0, 2),
    order=permutations(range(3)),
    wait=sampled_from([1.0, 70.0, 330.0]),
)
def test_a_node_is_as_it_was_in_whatever_order_its_faults_end(
    others: list[str], place: int, order: list[int], wait: float
) -> None:
    """One of them takes the node away; it is back while others last, or after them."""
    backend = SimulatedBackend(seed=1, with_operator=False)
    backend.start(Cluster.model_validate(NODES), "default", [], Quiet())
    backend.cluster.run_until(5)
    before = nodes_of(backend)
    begun = [(name, OF_ONE_NODE[name]) for name in others]
    undo = [inject(name, backend.target, what, str(n)) for n, (name, what) in enumerate(begun)]
    backend.cluster.run_until(backend.now + wait)
    undo.insert(place, inject("node-removed", backend.target, {"node": "gpu-1"}, "removed"))
    backend.cluster.run_until(backend.now + wait)
    for number in order:
        if number < len(undo):
            undo[number]()
            backend.cluster.run_until(backend.now + wait)
    backend.cluster.run_until(backend.now + 100)
    assert nodes_of(backend) == before


@pytest.mark.parametrize(
    ("name", "parameters", "shows"),
    [
        ("label-gone", {"label": "accelerator"}, lambda node: "accelerator" not in node[0]),
        ("node-cordoned", {}, lambda node: node[1].get("unschedulable")),
        ("node-lost", {}, lambda node: node[4]["Ready"] == "Unknown"),
        ("devices-unhealthy", {"count": 3}, lambda node: node[3][GPU] == "1"),
        ("device-plugin-gone", {}, lambda node: GPU not in node[3]),
        ("devices-reconfigured", {"into": {MIG: 7}, "takes": "0s"}, lambda node: MIG in node[3]),
        ("memory-pressure", {}, lambda node: node[4]["MemoryPressure"] == "True"),
    ],
)
def test_what_lasts_troubles_a_node_that_is_back(name: str, parameters: JSON, shows: Any) -> None:
    backend = SimulatedBackend(seed=1, with_operator=False)
    backend.start(Cluster.model_validate(NODES), "default", [], Quiet())
    inject(name, backend.target, {"node": "gpu-1", **parameters}, "0")
    inject("node-removed", backend.target, {"node": "gpu-1"}, "0")()
    backend.cluster.run_until(100)
    assert shows(nodes_of(backend)["gpu-1"])


HOLDING = ["node-lost", "node-cordoned", "device-plugin-gone", "label-gone"]


@pytest.mark.parametrize("name", HOLDING)
@pytest.mark.parametrize("first", [0, 1], ids=["older ends first", "newer ends first"])
def test_a_fault_lasts_until_the_last_of_its_kind_ends(name: str, first: int) -> None:
    backend = serving()
    before = wellness(backend)["nodes"]
    undo = [inject(name, backend.target, parameters(name), seed) for seed in ("0", "1")]
    backend.cluster.run_until(80)
    troubled = wellness(backend)["nodes"]
    assert troubled != before
    undo.pop(first)()
    backend.cluster.run_until(100)
    assert wellness(backend)["nodes"] == troubled
    undo.pop()()
    backend.cluster.run_until(120)
    assert wellness(backend)["nodes"] == before


def test_unhealthy_devices_add_up_and_recover_one_fault_at_a_time() -> None:
    backend = serving()

    def allocatable() -> str:
        found: str = wellness(backend)["nodes"]["gpu-1"][3][GPU]
        return found

    few, many = (
        inject("devices-unhealthy", backend.target, {"node": "gpu-1", "count": count}, "0")
        for count in (1, 2)
    )
    assert allocatable() == "1"
    few()
    assert allocatable() == "2"
    many()
    assert allocatable() == "4"


def test_the_operator_is_down_until_its_last_crash_is_over() -> None:
    backend = serving()
    for down in ("10s", "30s"):
        inject("operator-crash", backend.target, {"down": down}, "0")
    backend.cluster.run_until(20)
    assert not backend.target.operator.running
    backend.cluster.run_until(40)
    assert backend.target.operator.running


def test_a_removed_node_comes_back_as_it_was_but_lost_if_its_kubelet_is() -> None:
    backend = serving()
    before = wellness(backend)["nodes"]
    lost = inject("node-lost", backend.target, {"node": "gpu-1"}, "0")
    removed = inject("node-removed", backend.target, {"node": "gpu-1"}, "0")
    backend.cluster.run_until(20)
    assert "gpu-1" not in wellness(backend)["nodes"]
    removed()
    backend.cluster.run_until(100)
    assert wellness(backend)["nodes"]["gpu-1"][4]["Ready"] == "Unknown"
    lost()
    backend.cluster.run_until(120)
    assert wellness(backend)["nodes"] == before


def test_a_drained_node_is_empty_and_stays_cordoned_by_others() -> None:
    backend = serving()
    cordoned = inject("node-cordoned", backend.target, {"node": "gpu-1"}, "0")
    drained = inject("node-drained", backend.target, {"node": "gpu-1"}, "0")
    backend.cluster.run_until(60)
    pods = backend.cluster.api.list("pods", field_selector="spec.nodeName=gpu-1").items
    assert pods == []
    drained()
    assert wellness(backend)["nodes"]["gpu-1"][1]["unschedulable"] is True
    cordoned()
    assert "unschedulable" not in wellness(backend)["nodes"]["gpu-1"][1]


def test_what_the_user_cordoned_stays_so() -> None:
    backend = serving()
    backend.cordon("gpu-1")
    inject("node-drained", backend.target, {"node": "gpu-1"}, "0")()
    assert wellness(backend)["nodes"]["gpu-1"][1]["unschedulable"] is True


@pytest.mark.parametrize(
    ("verb", "lost", "heard"),
    [
        ("list", "watch-dropped", True),
        ("list", "watch-expired", False),
        ("watch", "watch-dropped", True),
    ],
    ids=[
        "a watch that can be resumed needs no list",
        "without its history nothing is known until it is listed",
        "lists take the place of watches that cannot be had",
    ],
)
@pytest.mark.parametrize("name", ["api-error", "api-timeout"])
def test_reads_of_the_operator_can_fail_and_are_repeated(
    verb: str, lost: str, heard: bool, name: str
) -> None:
    backend = serving()
    struck = inject(name, backend.target, {"verb": verb}, "0")
    dropped = inject(lost, backend.target, {}, "0")
    backend.cluster.api.patch("performers", "default", "worker", {"spec": {"version": "v2"}})
    backend.cluster.run_until(60)
    performer = backend.cluster.api.get("performers", "default", "worker")
    seen = performer["status"].get("observedGeneration") == performer["metadata"]["generation"]
    assert seen == heard
    struck()
    dropped()
    backend.cluster.run_until(120)
    performer = backend.cluster.api.get("performers", "default", "worker")
    assert performer["status"]["observedGeneration"] == performer["metadata"]["generation"]


def test_a_watch_whose_answer_is_lost_shows_the_operator_nothing() -> None:
    backend = serving()
    api = backend.cluster.api
    inject("api-timeout", backend.target, {"verb": "watch"}, "0")
    inject("watch-dropped", backend.target, {}, "0")
    backend.cluster.run_until(backend.now + 1.5)
    changed = api.patch("performers", "default", "worker", {"spec": {"version": "v2"}})
    backend.cluster.run_until(backend.now + 0.3)
    assert api.get("performers", "default", "worker") == changed


@pytest.mark.parametrize("name", REGISTRY)
def test_the_example_is_what_a_scenario_may_say(name: str) -> None:
    step = yaml.safe_load(example(REGISTRY[name]))["fault"]
    given = {} if step == name else step[name]
    assert REGISTRY[name].parameters.model_validate(given, by_alias=True, by_name=False)
    described = REGISTRY[name].parameters.model_json_schema()["properties"].values()
    assert all(field["description"].endswith(".") for field in described)


def test_a_hold_is_let_go_once() -> None:
    holds, reported = Holds(), list[str]()

    def begin() -> Any:
        reported.append("begin")
        return lambda: reported.append("end")

    one, other = (holds.hold(("a", "b"), begin) for _ in range(2))
    one()
    one()
    assert reported == ["begin"]
    other()
    assert reported == ["begin", "end"]
