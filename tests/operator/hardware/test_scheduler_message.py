"""What the scheduler's message says of a resource."""

import pytest

from hourglass_operator.hardware.scheduler_message import insufficient

GPU = "nvidia.com/gpu"
MESSAGES = [
    ("nothing", "", 0),
    ("at the end", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", 3),
    (
        "before other reasons",
        "0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient nvidia.com/gpu, 1 node(s) were"
        " unschedulable.",
        2,
    ),
    ("of another resource", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.shared.", 0),
    ("of one with a longer name", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu-mem.", 0),
    (
        "before preemption, on 1.34",
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate,"
        " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
        1,
    ),
    (
        "before preemption, on 1.37",
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. preemption: 0/1 nodes are"
        " available: 1 No preemption victims found for incoming pod.",
        1,
    ),
    (
        "and of fewer nodes once the less important pods were gone",
        "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are"
        " available: 1 Insufficient nvidia.com/gpu, 2 Preemption is not helpful for scheduling.",
        3,
    ),
    (
        "while room is made, on 1.37",
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. preemption: found a potential"
        " placement for pod on node a, preempting 1 victims",
        1,
    ),
    (
        "of both",
        "0/3 nodes are available: 2 Insufficient nvidia.com/gpu.shared, 1 Insufficient"
        " nvidia.com/gpu.",
        1,
    ),
]


@pytest.mark.parametrize(
    ("message", "nodes"), [m[1:] for m in MESSAGES], ids=[m[0] for m in MESSAGES]
)
def test_insufficient(message: str, nodes: int) -> None:
    assert insufficient(GPU, message) == nodes
