"""Nodes that are alike to a pod."""

import pytest

from builders import CATALOGUE, NodeBuilder, PerformerBuilder, node, performer, pod_spec_of
from hourglass_kube.node import view
from hourglass_operator.hardware.node_groups import group_nodes
from hourglass_operator.hardware.requirement import requirement

GPU = "nvidia.com/gpu"
ASKING = performer("ml").gpu("nvidia-a100", 2).resources(requests={"cpu": "2", "memory": "1Gi"})
A = node("a").label("accelerator", "nvidia-a100").offers(GPU, 4)
B = node("b").label("accelerator", "nvidia-a100").offers(GPU, 4)


def with_amount(of: NodeBuilder, resource: str, amount: str) -> NodeBuilder:
    return NodeBuilder(of.name, of.labels, {**of.allocatable, resource: amount})


def named(pod: PerformerBuilder) -> PerformerBuilder:
    """It asks for a node by its name."""
    field = {"key": "metadata.name", "operator": "In", "values": ["a"]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": required}
    return pod.scheduling(affinity={"nodeAffinity": rule})


def groups(
    asking: PerformerBuilder, *nodes: NodeBuilder, used: dict[str, dict[str, int]] | None = None
) -> list[list[str]]:
    spec = asking.typed
    needed = requirement(spec, CATALOGUE)
    assert needed is not None
    views = [view(each.build()) for each in nodes]
    found = group_nodes(views, needed, used or {}, pod_spec_of(spec), CATALOGUE.node_states)
    return [group.names for group in found]


TIER = performer("ml").custom_label("tier", "x")
ALIKE = [
    ("the same", ASKING, B),
    ("a host name of its own", ASKING, B.label("kubernetes.io/hostname", "b")),
    ("more memory than is needed", ASKING, with_amount(B, "memory", "31Gi")),
    ("a resource that nobody asks for", ASKING, B.offers("example.com/fpga", 1)),
]
UNLIKE = [
    ("another GPU", ASKING, B.label("accelerator", "nvidia-l4")),
    ("fewer GPUs", ASKING, B.offers(GPU, 1)),
    ("too little memory", ASKING, with_amount(B, "memory", "1Mi")),
    ("no word about its memory", ASKING, NodeBuilder("b", B.labels, {"cpu": "8", GPU: "4"})),
    ("a taint", ASKING, B.taint("maintenance")),
    ("cordoned", ASKING, B.cordoned()),
    ("not ready", ASKING, B.not_ready()),
    ("in another condition", ASKING, B.condition("PreemptScheduled", "True")),
    ("in an upgrade", ASKING, B.label("nvidia.com/gpu-driver-upgrade-state", "drain-required")),
    ("another name, and the pod asks for names", named(ASKING), B),
    (
        "another zone, and the pod selects zones",
        ASKING.scheduling(nodeSelector={"zone": "x"}),
        B.label("zone", "y"),
    ),
    ("a resource that is mistaken for a label", TIER, B.offers("tier", 1)),
]


@pytest.mark.parametrize(
    ("asking", "other"), [case[1:] for case in ALIKE], ids=[case[0] for case in ALIKE]
)
def test_it_is_alike_with(asking: PerformerBuilder, other: NodeBuilder) -> None:
    assert groups(asking, A, other) == [["a", "b"]]


@pytest.mark.parametrize(
    ("asking", "other"), [case[1:] for case in UNLIKE], ids=[case[0] for case in UNLIKE]
)
def test_it_is_unlike_with(asking: PerformerBuilder, other: NodeBuilder) -> None:
    assert groups(asking, A, other) == [["a"], ["b"]]


def test_nodes_of_whose_devices_performers_hold_the_same_are_alike() -> None:
    used = {"a": {GPU: 2}, "c": {GPU: 2}}
    c = NodeBuilder("c", A.labels, A.allocatable)
    assert groups(ASKING, A, B, c, used=used) == [["a", "c"], ["b"]]
