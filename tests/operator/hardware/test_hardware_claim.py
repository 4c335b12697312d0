"""What is claimed, and that the scheduler understands it as the operator does."""

from dataclasses import replace

import pytest

from builders import CATALOGUE, NodeBuilder, PerformerBuilder, device, node, performer, published
from hourglass_kube.node import view
from hourglass_kube.resourceslice import view as slice_view
from hourglass_kube.types import JSON
from hourglass_operator.hardware.catalogue import load
from hourglass_operator.hardware.claim import DeviceClaim, claimed, counted
from hourglass_operator.hardware.explain import Explanation, explain
from hourglass_operator.hardware.inventory import Inventory
from hourglass_operator.hardware.requirement import Requirement, requirement
from hourglass_operator.resources.pod import build_pod_spec
from hourglass_simulator.scheduler.deviceselector import DeviceSelector

A100 = "NVIDIA A100-SXM4-40GB"
ILL = {"key": "example.com/ill", "value": "yes", "effect": "NoSchedule"}
OURS = load("""\
gpus:
- names: [big-ampere]
  onAnyNode: true
  claim: {architecture: Ampere, memory: 60Gi}
- names: [any-card]
  claim: {products: [Our Card]}
""")
MIG = device("m", A100, type="mig", profile="1g.5gb")
BARE = {"name": "bare"}


def claim_of(gpu_type: str | None, count: int = 1) -> DeviceClaim:
    found = OURS.claim(gpu_type, count)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("gpu_type", "device_class", "count"),
    [
        ("nvidia-a100", "gpu.nvidia.com", 2),
        ("A100", "gpu.nvidia.com", 1),
        (None, "gpu.nvidia.com", 1),
        ("nvidia-a100-mig-1g.5gb", "mig.nvidia.com", 1),
        ("mig-1g.5gb", "mig.nvidia.com", 1),
        ("NVIDIA-RTX-5000-Ada-Generation", "gpu.nvidia.com", 1),
        ("amd-mi300x", "gpu.amd.com", 1),
        ("amd-gpu", "gpu.amd.com", 1),
        ("intel-max-1550", "gpu.intel.com", 1),
        ("big-ampere", "gpu.nvidia.com", 1),
    ],
)
def test_a_gpu_is_claimed_of_a_class(gpu_type: str | None, device_class: str, count: int) -> None:
    found = claim_of(gpu_type, count)
    assert (found.device_class, found.count) == (device_class, count)
    assert claimed(counted(found)) == {f"resource.k8s.io/{device_class}": count}


@pytest.mark.parametrize("gpu_type", ["nvidia-a100-shared", "gaudi2", "amd-mi300x-mig-1g.5gb"])
def test_what_no_claim_can_ask_for_has_none(gpu_type: str) -> None:
    assert OURS.claim(gpu_type, 1) is None


def test_the_claim_asks_for_type_and_product() -> None:
    assert claim_of("nvidia-l4", 2).spec() == {
        "devices": {
            "requests": [
                {
                    "name": "gpu",
                    "exactly": {
                        "deviceClassName": "gpu.nvidia.com",
                        "count": 2,
                        "selectors": [
                            {
                                "cel": {
                                    "expression": 'has(device.attributes["gpu.nvidia.com"].type) &&'
                                    ' device.attributes["gpu.nvidia.com"].type == "gpu"'
                                }
                            },
                            {
                                "cel": {
                                    "expression": "has(device.attributes"
                                    '["gpu.nvidia.com"].productName) && '
                                    'device.attributes["gpu.nvidia.com"].productName'
                                    '.matches("(?i)^(NVIDIA[-_ ]L4)$")'
                                }
                            },
                        ],
                    },
                }
            ]
        }
    }


@pytest.mark.parametrize(
    ("gpu_type", "offered", "fits"),
    [
        ("nvidia-a100", device("d", A100), True),
        ("nvidia-a100", device("d", "NVIDIA-A100-SXM4-40GB"), True),
        ("nvidia-a100", device("d", "nvidia a100-sxm4-40gb"), True),
        ("nvidia-a100", device("d", A100, ILL), True),
        ("nvidia-a100", device("d", "NVIDIA L4"), False),
        ("nvidia-a100", device("d", f"x {A100}"), False),
        ("nvidia-a100", MIG, False),
        ("nvidia-a100", BARE, False),
        ("nvidia-a100-mig-1g.5gb", MIG, True),
        ("nvidia-a100-mig-2g.10gb", MIG, False),
        ("mig-1g.5gb", MIG, True),
        ("nvidia-a100-80gb", device("d", A100), False),
        ("any-card", device("d", "our card"), True),
        ("big-ampere", device("d", A100, architecture="Ampere", memory="80Gi"), True),
        ("big-ampere", device("d", A100, architecture="Ampere", memory="40Gi"), False),
        ("big-ampere", device("d", A100, architecture="Ada", memory="80Gi"), False),
        ("big-ampere", BARE, False),
        (None, device("d", "whatever"), True),
    ],
)
def test_the_scheduler_understands_the_claim(
    gpu_type: str | None, offered: JSON, fits: bool
) -> None:
    claim = claim_of(gpu_type)
    kept = (*claim.attributes, "productName")
    (seen,) = slice_view(published("n", offered), kept).devices
    assert claim.matches("gpu.nvidia.com", seen) is fits
    expressions = [each["cel"]["expression"] for each in claim.selectors()]
    assert fits is all(
        DeviceSelector(each).matches("gpu.nvidia.com", offered) for each in expressions
    )


def test_devices_of_another_driver_are_not_meant() -> None:
    claim = claim_of("nvidia-a100")
    (seen,) = slice_view(published("n", device("d", A100)), claim.attributes).devices
    assert not claim.matches("gpu.example.com", seen)


@pytest.mark.parametrize(
    "text", ["", "gpu.nvidia.com", "=2", "gpu.nvidia.com=many", "gpu.nvidia.com=" + "9" * 5000]
)
def test_an_annotation_that_says_nothing_counts_nothing(text: str) -> None:
    assert claimed(text) == {}


# How a spec asks


def needed(asking: PerformerBuilder) -> Requirement:
    found = requirement(asking.typed, CATALOGUE)
    assert found is not None
    return found


GPU = performer("ml").gpu("nvidia-a100", 2)
CLAIMING = GPU.allocation("ResourceClaim")


def test_a_claim_takes_the_place_of_labels_and_resources() -> None:
    found = needed(CLAIMING.tee("sgx").resources(limits={"example.com/fpga": "1"}))
    assert [choice.what for choice in found.choices] == ["TEE sgx"]
    assert [d.resource for d in found.devices] == [
        "resource.k8s.io/gpu.nvidia.com",
        "example.com/fpga",
    ]
    assert str(found) == "2 × nvidia-a100 and 1 × example.com/fpga and TEE sgx"


def test_the_pod_asks_no_device_plugin_for_what_is_claimed() -> None:
    spec = build_pod_spec(CLAIMING.typed, needed(CLAIMING))
    assert "resources" not in spec["containers"][0]
    assert "affinity" not in spec


@pytest.mark.parametrize(
    ("asking", "why"),
    [
        (
            performer("ml").gpu("gaudi2").allocation("ResourceClaim"),
            "the hardware catalogue does not say how gaudi2 is claimed",
        ),
        (
            CLAIMING.resources(limits={"nvidia.com/gpu": "2"}),
            "spec.resources asks a device plugin for nvidia.com/gpu, and"
            " hardwareRequirements.allocation is ResourceClaim",
        ),
        (
            performer("ml").tee("sgx").allocation("ResourceClaim"),
            "hardwareRequirements.allocation ResourceClaim needs a gpuType or a gpuCount",
        ),
    ],
    ids=["no class is known", "resources name a device", "no GPU"],
)
def test_what_cannot_be_claimed_is_said(asking: PerformerBuilder, why: str) -> None:
    assert needed(asking).impossible == why


PLUGIN = node("a").label("nvidia.com/gpu.product", "NVIDIA-A100-SXM4-40GB")
TWO = (device("gpu-0", A100), device("gpu-1", A100))


@pytest.mark.parametrize(
    ("nodes", "slices", "claims"),
    [
        ([PLUGIN.offers("nvidia.com/gpu", 2)], [], False),
        ([PLUGIN.offers("nvidia.com/gpu", 2)], [published("a", *TWO)], False),
        ([PLUGIN], [published("a", *TWO)], True),
        ([node("a")], [published("a", *TWO)], True),
        ([node("a")], [published("a", device("d", "NVIDIA L4"))], False),
        ([node("a"), PLUGIN.offers("nvidia.com/gpu", 2)], [published("a", *TWO)], False),
        ([node("a")], [published("gone", *TWO)], False),
    ],
    ids=[
        "a device plugin",
        "both",
        "a label, and devices by a driver alone",
        "devices by a driver alone",
        "other devices",
        "a device plugin on another node",
        "devices of a node that is gone",
    ],
)
def test_auto_claims_where_nodes_publish_devices_only_so(
    nodes: list[NodeBuilder], slices: list[JSON], claims: bool
) -> None:
    auto = needed(GPU)
    assert auto.alternative is not None
    assert auto.alternative.claim is not None
    inventory = Inventory(CATALOGUE.claimed_attributes)
    for each in slices:
        inventory.put(each["metadata"]["name"], each)
    views = {each["metadata"]["name"]: view(each) for each in (n.build() for n in nodes)}
    seen = inventory.nodes(auto.alternative.claim, views).values()
    assert (auto.allocated(seen, claiming=None).claim is not None) is claims


@pytest.mark.parametrize("claiming", [True, False])
def test_auto_leaves_a_pod_as_it_is(claiming: bool) -> None:
    found = needed(GPU).allocated((), claiming=claiming)
    assert (found.claim is not None) is claiming
    assert found.instead
    assert not needed(GPU.allocation("DevicePlugin")).instead


# Why none is found


def explained(
    slices: list[JSON],
    *,
    asking: PerformerBuilder = CLAIMING,
    used: int = 0,
    said: str = "",
    nodes: tuple[NodeBuilder, ...] = (node("gpu-1"), node("cpu-1")),
) -> Explanation:
    wanted = needed(asking)
    assert wanted.claim is not None
    inventory = Inventory(CATALOGUE.claimed_attributes)
    for each in slices:
        inventory.put(each["metadata"]["name"], each)
    built = sorted((view(n.build()) for n in nodes), key=lambda each: each.name)
    views = inventory.nodes(wanted.claim, {each.name: each for each in built})
    held = {"gpu-1": {wanted.claim.resource: used}} if used else {}
    pod_spec = build_pod_spec(asking.typed, wanted)
    return explain(CATALOGUE, wanted, tuple(views.values()), held, pod_spec, said)


NOWHERE = "0/2 nodes are available: 2 cannot allocate all claims."
PRODUCT = "gpu.nvidia.com/productName"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (explained([]), "none of 2 nodes has nvidia-a100"),
        (
            explained([published("gpu-1", device("d", "NVIDIA L4"))]),
            f"none of 2 nodes has nvidia-a100; there is {PRODUCT}=NVIDIA L4 (1 node)",
        ),
        (
            explained([published("gpu-1", TWO[0])]),
            "node gpu-1 has only 1; 1 other node has no such GPU",
        ),
        (
            explained([published("gpu-1", *TWO)], used=1),
            "node gpu-1 has 1 free of 2; 1 other node has no such GPU",
        ),
        (
            explained([published("gpu-1", *TWO)], said=NOWHERE),
            "node gpu-1 has 2 but too many used by pods of others; 1 other node has no such GPU."
            f" The scheduler says: {NOWHERE}",
        ),
        (
            explained([published("gpu-1", *(device(n, A100, ILL) for n in ("gpu-0", "gpu-1")))]),
            "node gpu-1 has the taint example.com/ill=yes:NoSchedule on devices gpu-0, gpu-1, which"
            " the claim does not tolerate; 1 other node has no such GPU",
        ),
        (
            explained([published("gpu-1", TWO[0], device("gpu-1", A100, ILL))]),
            "node gpu-1 has 1 free of 1 and the taint example.com/ill=yes:NoSchedule on device"
            " gpu-1, which the claim does not tolerate; 1 other node has no such GPU",
        ),
        (
            explained([published("gpu-1", *TWO)], nodes=(node("gpu-1").cordoned(),)),
            "node gpu-1 is cordoned",
        ),
        (
            explained([published("gpu-1", *TWO)], asking=CLAIMING.tee("sgx")),
            "needs 2 × nvidia-a100 and TEE sgx: none of 2 nodes has TEE sgx",
        ),
    ],
    ids=[
        "nothing is published",
        "another product",
        "too few",
        "in use",
        "in use by others",
        "all are tainted",
        "one is tainted",
        "the node is away",
        "another part is missing",
    ],
)
def test_explanation(found: Explanation, words: str) -> None:
    assert found.hardware
    assert words in found.message


OWN = performer("ml").config(resourceClaims=[{"name": "nic", "resourceClaimName": "fast"}])


@pytest.mark.parametrize(
    ("asking", "said", "hardware", "words"),
    [
        (
            OWN,
            NOWHERE,
            True,
            "what spec.config.resourceClaims asks for (nic) is not to be had on 2 nodes."
            f" The scheduler says: {NOWHERE}",
        ),
        (OWN, "0/2 nodes are available: 2 Insufficient cpu.", False, "0/2 nodes are available"),
        (performer("ml"), NOWHERE, False, NOWHERE),
        (
            OWN.custom_label("tier", "premium"),
            NOWHERE,
            True,
            "node a has it, but another reason keeps the pod off; what spec.config.resourceClaims"
            " asks for (nic) is not to be had on 2 nodes",
        ),
    ],
    ids=[
        "claims of ones own",
        "something else is short",
        "claims of somebody else's making",
        "claims beside hardware",
    ],
)
def test_claims_of_ones_own_are_hardware(
    asking: PerformerBuilder, said: str, hardware: bool, words: str
) -> None:
    wanted = requirement(asking.typed, CATALOGUE)
    pod_spec = build_pod_spec(asking.typed, wanted)
    nodes = [view(node("a").label("tier", "premium").build())]
    found = explain(CATALOGUE, wanted, nodes, {}, pod_spec, said)
    assert found.hardware is hardware
    assert words in found.message


# What is kept of slices


def test_of_a_pool_only_the_newest_slices_count() -> None:
    inventory = Inventory(CATALOGUE.claimed_attributes)
    claim = claim_of("nvidia-a100")
    on = {"a": view(node("a").build())}
    pool = {"name": "a", "generation": 2, "resourceSliceCount": 1}
    old, new = published("a", *TWO), published("a", TWO[0], pool=pool)
    inventory.put("old", old)
    inventory.put("new", new)
    assert inventory.nodes(claim, on)["a"].allocatable[claim.resource] == "1"
    inventory.put("new", None)
    assert inventory.nodes(claim, on)["a"].allocatable[claim.resource] == "2"


@pytest.mark.parametrize(
    ("spec", "reached"),
    [
        ({"nodeName": "a"}, ["a"]),
        ({"nodeName": None, "allNodes": True}, ["a", "b"]),
        (
            {
                "nodeName": None,
                "nodeSelector": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "x", "operator": "In", "values": ["y"]}]}
                    ]
                },
            },
            ["b"],
        ),
        ({"nodeName": None, "perDeviceNodeSelection": True}, []),
    ],
    ids=["one node", "all nodes", "nodes with a label", "each device by itself"],
)
def test_devices_are_those_of_the_nodes_that_reach_them(spec: JSON, reached: list[str]) -> None:
    inventory = Inventory(CATALOGUE.claimed_attributes)
    claim = claim_of("nvidia-a100")
    given = {key: value for key, value in spec.items() if value is not None}
    made = published("a", *TWO)
    made["spec"] = {
        **{key: value for key, value in made["spec"].items() if key != "nodeName"},
        **given,
    }
    inventory.put("s", made)
    on = {n.name: view(n.build()) for n in (node("a"), node("b").label("x", "y"))}
    seen = inventory.nodes(claim, on)
    assert [name for name, each in seen.items() if claim.resource in each.allocatable] == reached


def test_a_slice_that_says_nothing_new_changes_nothing() -> None:
    inventory = Inventory(CATALOGUE.claimed_attributes)
    assert inventory.put("s", published("a", *TWO)) is not None
    generation = inventory.generation
    renamed = published("a", *(device(n, A100, uuid="another") for n in ("gpu-0", "gpu-1")))
    assert inventory.put("s", renamed) is None
    assert inventory.generation == generation


def test_devices_of_a_model_share_what_is_kept_of_them() -> None:
    first, second = slice_view(published("a", *TWO), {"productName"}).devices
    assert first.kind is second.kind
    assert first.kind.attributes == (("productName", A100),)


def test_a_form_that_is_chosen_keeps_the_other() -> None:
    auto = needed(GPU)
    chosen = auto.allocated((), claiming=True)
    assert chosen.alternative == replace(auto, alternative=None)
