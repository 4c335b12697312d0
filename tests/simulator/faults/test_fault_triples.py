"""Any three faults at once, ended in any order: each lasts until it ends, and nothing is left.

Bounded and the same every time here; `make fuzz` looks for longer.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis.strategies import lists, one_of, permutations, sampled_from
from troubled_backend import GPU, nodes_of, parameters, serving, wellness

from hourglass_kube.types import JSON
from hourglass_simulator.faults import REGISTRY, FaultNotPossibleError, Undo, inject
from hourglass_simulator.harness.backend import SimulatedBackend

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
ANY = sampled_from(sorted(REGISTRY))
OF_A_NODE = sampled_from(sorted(n for n in REGISTRY if "node" in parameters(n)))
"""Those that meet in one node find more than any others."""
PROBE: JSON = {
    "metadata": {"name": "probe"},
    "spec": {
        "nodeSelector": {"accelerator": "nvidia-a100"},
        "containers": [
            {"name": "main", "image": "avs/worker:v1", "resources": {"limits": {GPU: "4"}}}
        ],
    },
}


Shows = Callable[[SimulatedBackend, Any], bool]
SHOWS: dict[str, Shows] = {
    # A kubelet that is silent does not say it.
    "device-plugin-gone": lambda _, node: GPU not in node[3] or node[4]["Ready"] != "True",
    "label-gone": lambda _, node: "accelerator" not in node[0],
    "node-cordoned": lambda _, node: bool(node[1].get("unschedulable")),
    "node-drained": lambda _, node: bool(node[1].get("unschedulable")),
    "node-lost": lambda _, node: node[4]["Ready"] != "True",
    "node-shut-down": lambda _, node: node[4]["Ready"] != "True",
    "sandbox-fails": lambda backend, _: bool(backend.cluster.kubelets.sandbox_failure("gpu-1")),
}
"""How one sees on a node that a fault lasts, where it does not end by itself.

`node` is as `nodes_of` has it.
"""
PARAMETERS = {"label-gone": {"node": "gpu-1", "label": "accelerator"}}
"""Of gpu-1, where the example is of another node."""
MINUTE = 60.0
"""Until a silent kubelet is noticed."""


def begun(backend: SimulatedBackend, name: str, seed: str) -> list[Undo]:
    """How to end a fault; none if it is not possible, because its node is away."""
    with suppress(FaultNotPossibleError):
        what = PARAMETERS.get(name) or parameters(name)
        return [inject(name, backend.target, what, seed)]
    return []


@BOUNDED
@example(
    names=["device-plugin-gone", "node-lost", "node-clock"],
    order=[0, 1, 2],
    waits=[330.0, 0.0, 0.0, 0.0, 0.0, 0.0],
)
@given(
    names=lists(one_of(ANY, OF_A_NODE), min_size=3, max_size=3),
    order=permutations(range(3)),
    waits=lists(sampled_from([0.0, 1.0, 20.0, 70.0, 330.0]), min_size=6, max_size=6),
)
def test_three_faults_at_once_leave_nothing_behind(
    names: list[str], order: list[int], waits: list[float]
) -> None:
    backend = serving()
    before = wellness(backend)
    undo: list[list[Undo]] = []
    for number, name in enumerate(names):
        undo.append(begun(backend, name, str(number)))
        backend.cluster.run_until(backend.now + waits[number])
    for place, number in enumerate(order):
        for end in undo[number]:
            end()
        backend.cluster.run_until(backend.now + waits[3 + place])
    backend.cluster.run_until(backend.now + 900)
    assert wellness(backend) == before
    backend.cluster.api.create("pods", PROBE, namespace="default")
    backend.cluster.run_until(backend.now + 60)
    status = backend.cluster.api.get("pods", "default", "probe")["status"]
    assert status["phase"] == "Running", status


@BOUNDED
@example(names=["node-lost", "label-gone", "spot-interrupted"], order=[2, 0, 1])
@example(names=["node-rebooted", "label-gone", "node-shut-down"], order=[0, 1, 2])
@given(names=lists(OF_A_NODE, min_size=3, max_size=3), order=permutations(range(3)))
def test_a_fault_of_a_node_lasts_until_it_ends(names: list[str], order: list[int]) -> None:
    """Whatever else begins or ends meanwhile; of a node that is away there is nothing to see."""
    backend = serving()
    lasting: dict[int, Undo] = {}

    def look() -> None:
        nodes = nodes_of(backend)
        for number in lasting if "gpu-1" in nodes else ():
            shows = SHOWS.get(names[number])
            assert shows is None or shows(backend, nodes["gpu-1"]), (names, list(lasting))

    for number, name in enumerate(names):
        for end in begun(backend, name, str(number)):
            lasting[number] = end
        backend.cluster.run_until(backend.now + MINUTE)
        look()
    for number in order:
        if number in lasting:
            lasting.pop(number)()
        backend.cluster.run_until(backend.now + MINUTE)
        look()
