"""Why no node is found: whether the hardware is to blame, and the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import CATALOGUE, NodeBuilder, PerformerBuilder, node, performer
from hourglass_kube.node import view
from hourglass_operator.hardware.explain import Explanation, explain, offers
from hourglass_operator.hardware.requirement import requirement
from hourglass_operator.resources.pod import build_pod_spec

GPU = "nvidia.com/gpu"
EPC = "sgx.intel.com/epc"
TWO = performer("ml").gpu("nvidia-a100", 2)
PREMIUM = performer("ml").custom_label("tier", "premium")
SGX = performer("ml").tee("sgx")
SGX_LABEL = "intel.feature.node.kubernetes.io/sgx"


def a100(name: str, count: int = 4) -> NodeBuilder:
    return node(name).label("nvidia.com/gpu.product", "NVIDIA-A100-SXM4-40GB").offers(GPU, count)


def any_gpu(count: int) -> PerformerBuilder:
    asking = performer("ml")
    return replace(asking, spec={**asking.spec, "hardwareRequirements": {"gpuCount": count}})


def l4(name: str) -> NodeBuilder:
    return node(name).label("nvidia.com/gpu.product", "NVIDIA-L4").offers(GPU, 1)


def held(**nodes: int) -> dict[str, dict[str, int]]:
    return {name.replace("_", "-"): {GPU: count} for name, count in nodes.items()}


def short_of(resource: str, count: int = 1) -> str:
    return f"0/{count} nodes are available: {count} Insufficient {resource}."


def explained(
    asking: PerformerBuilder,
    nodes: list[NodeBuilder],
    used: Mapping[str, Mapping[str, int]] | None = None,
    scheduler: str = "",
) -> Explanation:
    spec = asking.typed
    views = sorted((view(n.build()) for n in nodes), key=lambda n: n.name)
    needed = requirement(spec, CATALOGUE)
    return explain(CATALOGUE, needed, views, used or {}, build_pod_spec(spec, needed), scheduler)


@dataclass(frozen=True)
class Case:
    id: str
    asking: PerformerBuilder
    nodes: list[NodeBuilder]
    hardware: bool
    words: str
    used: dict[str, dict[str, int]] = field(default_factory=dict)
    scheduler: str = ""


CASES = [
    # No node has it
    Case("no nodes", TWO, [], True, "needs 2 × nvidia-a100: the cluster has no nodes"),
    Case(
        "one node without it",
        TWO,
        [node("cpu-1")],
        True,
        "needs 2 × nvidia-a100: the only node does not have nvidia-a100",
    ),
    Case(
        "no node has any GPU",
        TWO,
        [node("cpu-1"), node("cpu-2")],
        True,
        "needs 2 × nvidia-a100: none of 2 nodes has nvidia-a100",
    ),
    Case(
        "other GPUs only",
        TWO,
        [node("cpu-1"), l4("l4-1"), l4("l4-2")],
        True,
        "needs 2 × nvidia-a100: none of 3 nodes has nvidia-a100; "
        "there is nvidia.com/gpu.product=NVIDIA-L4 (2 nodes)",
    ),
    Case(
        "many kinds of other GPUs",
        TWO,
        [
            *(node(f"n-{i}").label("accelerator", f"kind-{i % 5}") for i in range(12)),
            node("aks").label("kubernetes.azure.com/accelerator", "nvidia"),
        ],
        True,
        "needs 2 × nvidia-a100: none of 13 nodes has nvidia-a100; there is accelerator=kind-0 "
        "(3 nodes), accelerator=kind-1 (3 nodes), accelerator=kind-2 (2 nodes) and 3 more",
    ),
    Case(
        "devices without labels",
        TWO,
        [node("cpu-1"), node("bare-1").offers(GPU, 8)],
        True,
        "needs 2 × nvidia-a100: none of 2 nodes has nvidia-a100; 1 node offers nvidia.com/gpu "
        "without a label that names its type (such as nvidia.com/gpu.product=NVIDIA-A100-SXM-64GB)",
    ),
    Case(
        "a GPU of any kind",
        any_gpu(1),
        [node("cpu-1"), node("cpu-2")],
        True,
        "needs 1 × GPU: none of 2 nodes has nvidia.com/gpu",
    ),
    Case(
        "a device of spec.resources",
        performer("ml").resources(limits={"example.com/fpga": "1"}),
        [node("cpu-1"), node("cpu-2")],
        True,
        "needs 1 × example.com/fpga: none of 2 nodes has example.com/fpga",
    ),
    Case(
        "no TEE",
        SGX,
        [node("cpu-1"), node("cpu-2").label(SGX_LABEL, "false")],
        True,
        "needs TEE sgx: none of 2 nodes has TEE sgx; "
        "there is intel.feature.node.kubernetes.io/sgx=false (1 node)",
    ),
    Case(
        "no TEE of any kind",
        performer("ml").tee(),
        [node("cpu-1"), node("cpu-2")],
        True,
        "needs a TEE: none of 2 nodes has a TEE",
    ),
    Case(
        "no custom label",
        PREMIUM,
        [node("a").label("tier", "gold"), node("b").label("tier", "basic"), node("c")],
        True,
        "needs a node labelled tier=premium: none of 3 nodes has the label tier=premium; "
        "there is tier=basic (1 node), tier=gold (1 node)",
    ),
    Case(
        "a custom label that is a resource",
        SGX.custom_label(EPC, "128Mi"),
        [node("sgx-1").label(SGX_LABEL, "true").offers(EPC, 2**30), node("cpu-1")],
        True,
        "needs TEE sgx and a node labelled sgx.intel.com/epc=128Mi: none of 2 nodes has the label "
        "sgx.intel.com/epc=128Mi; sgx.intel.com/epc is a resource, not a label: request "
        "sgx.intel.com/epc under spec.resources.limits",
    ),
    Case(
        "a custom label that is a resource, but a label of another node as well",
        SGX.custom_label(EPC, "128Mi"),
        [node("a").label(EPC, "128Mi"), node("b").offers(EPC, 2**30)],
        True,
        "needs TEE sgx and a node labelled sgx.intel.com/epc=128Mi: none of 2 nodes has TEE sgx; "
        "1 node offers sgx.intel.com/epc without a label that names its type "
        "(such as feature.node.kubernetes.io/cpu-security.sgx.enabled=true)",
    ),
    Case(
        "the parts of it on different nodes",
        TWO.custom_label("tier", "premium"),
        [a100("gpu-1"), a100("gpu-2"), node("cpu-1").label("tier", "premium"), node("cpu-2")],
        True,
        "needs 2 × nvidia-a100 and a node labelled tier=premium: no node has all of it: "
        "node cpu-1 lacks nvidia-a100, gpu-1 and gpu-2 lack the label tier=premium, "
        "cpu-2 lacks nvidia-a100 and the label tier=premium",
    ),
    # Nodes have it, but none to give
    Case(
        "in use by Performers",
        TWO,
        [a100("gpu-1"), a100("gpu-2").cordoned(), node("c-1"), node("c-2"), node("c-3")],
        True,
        "needs 2 × nvidia-a100: node gpu-1 has 1 free of 4, gpu-2 is cordoned; "
        "3 other nodes have no such GPU",
        used=held(gpu_1=3),
    ),
    Case(
        "more in use than there is",
        TWO,
        [a100("gpu-1", 2), node("c-1")],
        True,
        "needs 2 × nvidia-a100: node gpu-1 has 0 free of 2; 1 other node has no such GPU",
        used=held(gpu_1=3),
    ),
    Case(
        "in use by others",
        TWO,
        [a100("gpu-1")],
        True,
        "needs 2 × nvidia-a100: node gpu-1 has 4 but too many used by pods of others",
        scheduler=short_of(GPU),
    ),
    Case(
        "in use by Performers and others",
        TWO,
        [a100("gpu-1"), a100("gpu-2")],
        True,
        "needs 2 × nvidia-a100: node gpu-1 has 4, 1 of them used by Performers, but too many used "
        "by pods of others; gpu-2 has 0 free of 4",
        used=held(gpu_1=1, gpu_2=4),
        scheduler=short_of(GPU, 2),
    ),
    Case(
        "nodes without labels count in what the scheduler says of devices",
        any_gpu(2),
        [node("gpu-1").offers(GPU, 4), node("cpu-1"), node("cpu-2")],
        True,
        "needs 2 × GPU: node gpu-1 has 4 but too many used by pods of others; "
        "2 other nodes have no such GPU",
        scheduler=short_of(GPU, 3),
    ),
    Case(
        "nodes that the scheduler does not come to count are not in its count",
        TWO,
        [a100("gpu-1"), a100("gpu-2").cordoned()],
        True,
        "needs 2 × nvidia-a100: node gpu-1 has 4 but too many used by pods of others, "
        "gpu-2 is cordoned",
        used=held(gpu_2=4),
        scheduler="0/2 nodes are available: 1 Insufficient nvidia.com/gpu, "
        "1 node(s) were unschedulable.",
    ),
    Case(
        "too few on every node",
        performer("ml").gpu("a100", 4),
        [a100("gpu-1", 2), a100("gpu-2", 2), a100("gpu-3", 1)],
        True,
        "needs 4 × a100: nodes gpu-1 and gpu-2 have only 2, gpu-3 has only 1",
    ),
    Case(
        "the device plugin is gone",
        TWO,
        [a100("gpu-1", 0), node("gpu-2").label("accelerator", "a100")],
        True,
        "needs 2 × nvidia-a100: nodes gpu-1 and gpu-2 offer no nvidia.com/gpu at present: "
        "no device is healthy, or its device plugin does not run",
    ),
    Case(
        "several devices are named apart",
        performer("ml").resources(limits={EPC: "128Mi", GPU: "1"}),
        [node("a").offers(EPC, 2**26).offers(GPU, 1), node("b").offers(EPC, 2**30).offers(GPU, 1)],
        True,
        "needs 1 × nvidia.com/gpu and 128Mi of sgx.intel.com/epc: node a has only 64Mi "
        "sgx.intel.com/epc, b has 0 free of 1 nvidia.com/gpu",
        used={"b": {GPU: 1}},
    ),
    # Nodes have it, but are away
    Case(
        "cordoned",
        TWO,
        [a100("gpu-1").cordoned(), a100("gpu-2").taint("node.kubernetes.io/unschedulable")],
        True,
        "needs 2 × nvidia-a100: nodes gpu-1 and gpu-2 are cordoned",
    ),
    Case(
        "not ready",
        TWO,
        [a100("gpu-1").not_ready()],
        True,
        "needs 2 × nvidia-a100: node gpu-1 is not ready",
    ),
    Case(
        "under pressure",
        TWO,
        [a100("gpu-1").taint("node.kubernetes.io/disk-pressure")],
        True,
        "needs 2 × nvidia-a100: node gpu-1 is under disk pressure",
    ),
    Case(
        "away or closed to the pod",
        TWO,
        [a100("gpu-1").taint("team", "x"), a100("gpu-2").not_ready()],
        True,
        "needs 2 × nvidia-a100: node gpu-2 is not ready; gpu-1 has the taint team=x:NoSchedule, "
        "which is not tolerated; a taint is tolerated by an entry in spec.scheduling.tolerations: "
        "{key: team, operator: Equal, value: x, effect: NoSchedule}",
    ),
    # The pod's own constraints, or something else
    Case(
        "a taint without a value",
        TWO,
        [a100("gpu-1").taint(GPU), node("cpu-1")],
        False,
        "needs 2 × nvidia-a100: node gpu-1 has the taint nvidia.com/gpu:NoSchedule, which is not "
        "tolerated; 1 other node has no such GPU; a taint is tolerated by an entry in "
        "spec.scheduling.tolerations: {key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}",
    ),
    Case(
        "nodeSelector",
        TWO.scheduling(nodeSelector={"zone": "a"}),
        [a100("gpu-1").label("zone", "b"), a100("gpu-2")],
        False,
        "needs 2 × nvidia-a100: nodes gpu-1 and gpu-2 lack the label zone=a that "
        "spec.scheduling.nodeSelector asks for",
    ),
    Case(
        "nodeSelector excludes a node that is cordoned as well",
        TWO.scheduling(nodeSelector={"zone": "a"}),
        [a100("gpu-1").cordoned()],
        False,
        "needs 2 × nvidia-a100: node gpu-1 lacks the label zone=a that "
        "spec.scheduling.nodeSelector asks for",
    ),
    Case(
        "affinity",
        TWO.scheduling(
            affinity={
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}
                        ]
                    }
                }
            }
        ),
        [a100("gpu-1"), a100("gpu-2")],
        False,
        "needs 2 × nvidia-a100: nodes gpu-1 and gpu-2 do not match spec.scheduling.affinity",
    ),
    Case(
        "more CPU than the node has",
        TWO.resources(requests={"cpu": "8500m", "memory": "1Gi"}),
        [a100("gpu-1")],
        False,
        "needs 2 × nvidia-a100: node gpu-1 has only 8 cpu in all, the pod requests 8500m",
    ),
    Case(
        "more memory than the node has",
        TWO.resources(requests={"memory": "64Gi"}),
        [a100("gpu-1")],
        False,
        "needs 2 × nvidia-a100: node gpu-1 has only 32Gi memory in all, the pod requests 64Gi",
    ),
    Case(
        "all the CPU that the node has",
        TWO.resources(requests={"cpu": "8"}),
        [a100("gpu-1", 1)],
        True,
        "needs 2 × nvidia-a100: node gpu-1 has only 1",
    ),
    Case(
        "the CPU of the node is in use",
        TWO,
        [a100("gpu-1")],
        False,
        "needs 2 × nvidia-a100: node gpu-1 has enough that no Performer uses, "
        "but another reason keeps the pod off",
        scheduler=short_of("cpu"),
    ),
    Case(
        "the shortage is explained by the Performers' use of another node",
        TWO,
        [a100("gpu-1"), a100("gpu-2")],
        False,
        "needs 2 × nvidia-a100: node gpu-2 has enough that no Performer uses, but another reason "
        "keeps the pod off; gpu-1 has 1 free of 4",
        used=held(gpu_1=3),
        scheduler="0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient nvidia.com/gpu.",
    ),
    Case(
        "a shortage of a resource whose name only starts alike",
        TWO,
        [a100("gpu-1")],
        False,
        "needs 2 × nvidia-a100: node gpu-1 has enough that no Performer uses, "
        "but another reason keeps the pod off",
        scheduler=short_of("nvidia.com/gpu.shared"),
    ),
    Case(
        "labels alone, and something else",
        PREMIUM,
        [node("a").label("tier", "premium")],
        False,
        "needs a node labelled tier=premium: node a has it, but another reason keeps the pod off",
        scheduler=short_of("memory"),
    ),
    Case(
        "another GPU than the one that is needed, known by the machine type alone",
        performer("ml").gpu("nvidia-h100", 1),
        [
            *(
                node(name).label("node.kubernetes.io/instance-type", machine).offers(GPU, 8)
                for name, machine in {"a": "p5en.48xlarge", "b": "p4d.24xlarge"}.items()
            ),
            node("cpu").label("node.kubernetes.io/instance-type", "m5.large"),
        ],
        True,
        "needs 1 × nvidia-h100: none of 3 nodes has nvidia-h100; there is nvidia-a100 by "
        "node.kubernetes.io/instance-type=p4d.24xlarge (1 node), nvidia-h200 by "
        "node.kubernetes.io/instance-type=p5en.48xlarge (1 node)",
    ),
    # Many nodes
    Case(
        "alike nodes are listed together",
        TWO,
        [*(a100(f"gpu-{i}", 1) for i in range(7)), *(node(f"cpu-{i}") for i in range(90))],
        True,
        "needs 2 × nvidia-a100: nodes gpu-0, gpu-1, gpu-2 and 4 more have only 1; "
        "90 other nodes have no such GPU",
    ),
    Case(
        "after five kinds the rest is counted",
        performer("ml").gpu("a100", 20),
        [a100(f"gpu-{i:02}", 1 + i) for i in range(12)],
        True,
        "needs 20 × a100: node gpu-00 has only 1, gpu-01 has only 2, gpu-02 has only 3, "
        "gpu-03 has only 4, gpu-04 has only 5, 7 more cannot take the pod either",
    ),
    Case(
        "after five kinds a single node is counted as well",
        performer("ml").gpu("a100", 20),
        [a100(f"gpu-{i}", 1 + i) for i in range(6)],
        True,
        "needs 20 × a100: node gpu-0 has only 1, gpu-1 has only 2, gpu-2 has only 3, "
        "gpu-3 has only 4, gpu-4 has only 5, 1 more cannot take the pod either",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_explanation(case: Case) -> None:
    found = explained(case.asking, case.nodes, case.used, case.scheduler)
    said = f". The scheduler says: {case.scheduler}" if case.scheduler else ""
    assert found == Explanation(case.hardware, case.words + said)


def test_a_tolerated_taint_is_no_obstacle() -> None:
    asking = TWO.scheduling(tolerations=[{"key": GPU, "operator": "Exists"}])
    found = explained(asking, [a100("gpu-1").taint(GPU)], held(gpu_1=4))
    assert found == Explanation(True, "needs 2 × nvidia-a100: node gpu-1 has 0 free of 4")


def test_a_pod_that_tolerates_cordoned_nodes_is_not_kept_off_by_them() -> None:
    everything = TWO.scheduling(tolerations=[{"operator": "Exists"}])
    assert not explained(everything, [a100("gpu-1").cordoned()]).hardware


def test_without_hardware_the_scheduler_alone_speaks() -> None:
    found = explained(performer("p"), [node("a")], scheduler="0/1 nodes are available: x")
    assert found == Explanation(False, "0/1 nodes are available: x")


def test_a_long_message_is_cut_but_leaves_room_for_the_scheduler() -> None:
    names = [f"{'x' * 240}-{i}" for i in range(9)]
    found = explained(TWO, [a100(name, 1) for name in names], scheduler="y" * 2000)
    assert len(found.message) == 1024
    assert found.message.endswith("yyy")
    assert ". The scheduler says: yyy" in found.message


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (a100("n", 2), True),
        (a100("n", 1), False),
        (a100("n", 0), False),
        (node("n").label("accelerator", "a100"), False),
        (node("n").offers(GPU, 8), False),
        (a100("n").cordoned(), True),
    ],
)
def test_a_node_offers_the_hardware_whoever_uses_it(offered: NodeBuilder, expected: bool) -> None:
    needed = requirement(TWO.typed, CATALOGUE)
    assert needed is not None
    assert offers(view(offered.build()), needed) is expected


def _some_node(number: int, traits: frozenset[str], count: int) -> NodeBuilder:
    built = a100(f"n-{number}", count) if "gpu" in traits else node(f"n-{number}")
    built = built.cordoned() if "cordoned" in traits else built
    built = built.not_ready() if "away" in traits else built
    built = built.taint("team", "x") if "taint" in traits else built
    return built.label("zone", "a") if "zone" in traits else built


TRAITS = st.frozensets(st.sampled_from(["gpu", "cordoned", "away", "taint", "zone"]))
CLUSTERS = st.lists(st.tuples(TRAITS, st.integers(0, 4), st.integers(0, 4)), max_size=5)


@given(CLUSTERS)
def test_the_blame_follows_its_definition(cluster: list[tuple[frozenset[str], int, int]]) -> None:
    nodes = [_some_node(i, traits, count) for i, (traits, count, _) in enumerate(cluster)]
    used: dict[str, Any] = {f"n-{i}": {GPU: n} for i, (*_, n) in enumerate(cluster)}
    found = explained(TWO.scheduling(nodeSelector={"zone": "a"}), nodes, used)
    having = [one for one in cluster if "gpu" in one[0]]
    permitted = [one for one in having if "zone" in one[0] and "taint" not in one[0]]
    to_give = [
        one for one in permitted if one[1] - one[2] >= 2 and not one[0] & {"cordoned", "away"}
    ]
    assert found.hardware is (not having or bool(permitted and not to_give))
    assert 0 < len(found.message) <= 1024
