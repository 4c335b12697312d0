"""Slices and shares of GPUs: by which names, labels and resources."""

import pytest

from builders import CATALOGUE, NodeBuilder, node, performer
from hourglass_kube.node import view
from hourglass_operator.hardware.catalogue import load
from hourglass_operator.hardware.requirement import Requirement, requirement

PRODUCT = "nvidia.com/gpu.product"
GKE = "cloud.google.com/gke-accelerator"
PARTITION = "cloud.google.com/gke-gpu-partition-size"
SHARING = "cloud.google.com/gke-gpu-sharing-strategy"
STRATEGY = "nvidia.com/gpu.sharing-strategy"
GPU, SLICE = "nvidia.com/gpu", "nvidia.com/mig-1g.5gb"

A100 = node("n").label(PRODUCT, "NVIDIA-A100-SXM4-40GB").offers(GPU, 8)
SINGLE = node("n").label(PRODUCT, "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb").offers(GPU, 7)
MIXED = (
    node("n")
    .label(PRODUCT, "NVIDIA-A100-SXM4-40GB")
    .label("nvidia.com/mig-1g.5gb.product", "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb")
    .offers(GPU, 0)
    .offers(SLICE, 7)
)
GKE_A100 = node("n").label(GKE, "nvidia-tesla-a100").offers(GPU, 8)
GKE_SLICES = GKE_A100.label(PARTITION, "1g.5gb")
GKE_SHARES = GKE_A100.label(SHARING, "time-sharing")
GKE_SHARED_SLICES = GKE_SLICES.label(SHARING, "mps")
T4_SHARES = (
    node("n").label(PRODUCT, "Tesla-T4-SHARED").label(STRATEGY, "time-slicing").offers(GPU, 4)
)
T4_RENAMED = (
    node("n")
    .label(PRODUCT, "Tesla-T4")
    .label(STRATEGY, "time-slicing")
    .offers("nvidia.com/gpu.shared", 4)
)
KARPENTER_SHARES = T4_SHARES.label("karpenter.k8s.aws/instance-gpu-name", "t4")


def needed(gpu_type: str) -> Requirement:
    found = requirement(performer("p").gpu(gpu_type).typed, CATALOGUE)
    assert found is not None
    return found


def resource(gpu_type: str, on: NodeBuilder) -> str:
    """What a pod asks for that finds this node; empty if the node does not have the hardware."""
    seen = view(on.build())
    suited = needed(gpu_type).suited([seen], ())
    return suited.devices[0].resource if suited.offered_by(seen) else ""


@pytest.mark.parametrize(
    ("gpu_type", "on", "asked"),
    [
        ("nvidia-a100", A100, GPU),
        ("nvidia-a100", SINGLE, ""),
        ("nvidia-a100", MIXED, ""),
        ("nvidia-a100", GKE_A100, GPU),
        ("nvidia-a100", GKE_SLICES, ""),
        ("nvidia-a100", GKE_SHARES, ""),
        ("nvidia-a100-mig-1g.5gb", SINGLE, GPU),
        ("nvidia-a100-mig-1g.5gb", MIXED, SLICE),
        ("nvidia-a100-mig-1g.5gb", GKE_SLICES, GPU),
        ("nvidia-a100-mig-1g.5gb", GKE_SHARED_SLICES, ""),
        ("nvidia-a100-mig-1g.5gb", A100, ""),
        ("nvidia-a100-mig-2g.10gb", SINGLE, ""),
        ("nvidia-a100-mig-2g.10gb", GKE_SLICES, ""),
        ("nvidia-h100-mig-1g.5gb", SINGLE, ""),
        ("A100_MIG_1g_5gb", MIXED, SLICE),
        ("a100-40gb-mig-1g.5gb", SINGLE, GPU),
        ("a100-mig-1g.5gb-shared", GKE_SHARED_SLICES, GPU),
        ("a100-mig-1g.5gb-shared", GKE_SLICES, ""),
        ("a100-shared", GKE_SHARES, GPU),
        ("a100-shared", GKE_SHARED_SLICES, ""),
        ("a100-shared", GKE_A100, ""),
        ("t4", T4_SHARES, ""),
        ("t4", KARPENTER_SHARES, ""),
        ("t4", T4_RENAMED, ""),
        ("t4-shared", T4_SHARES, GPU),
        ("t4-shared", KARPENTER_SHARES, GPU),
        ("t4-shared", T4_RENAMED, "nvidia.com/gpu.shared"),
        ("NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", SINGLE, GPU),
        ("NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", MIXED, SLICE),
        ("Tesla-T4-SHARED", T4_SHARES, GPU),
        ("mig-1g.5gb", MIXED, SLICE),
        ("MIG-1g.5gb", MIXED, SLICE),
        ("gpu", A100, GPU),
        ("gpu", T4_SHARES, GPU),
        ("gpu.shared", T4_RENAMED, "nvidia.com/gpu.shared"),
        ("gaudi", node("n").offers("habana.ai/gaudi", 8), "habana.ai/gaudi"),
    ],
)
def test_a_part_is_found_under_its_names_and_is_not_the_gpu(
    gpu_type: str, on: NodeBuilder, asked: str
) -> None:
    assert resource(gpu_type, on) == asked


def test_a_pod_keeps_the_form_it_was_made_in() -> None:
    slices, seen = needed("a100-mig-1g.5gb"), [view(MIXED.build())]
    assert slices.suited(seen, ()).devices[0].resource == SLICE
    assert slices.suited(seen, {GPU}).devices[0].resource == GPU
    assert slices.suited([], ()).devices[0].resource == SLICE
    again = slices.suited(seen, {GPU}).suited(seen, {SLICE})
    assert again.devices == slices.devices


def test_resources_in_the_spec_choose_the_form() -> None:
    asking = performer("p").gpu("a100-mig-1g.5gb").resources(limits={GPU: "2"})
    found = requirement(asking.typed, CATALOGUE)
    assert found
    assert not found.others
    assert [(d.resource, d.count) for d in found.devices] == [(GPU, 2)]
    assert found.labelled(SINGLE.labels)
    assert not found.labelled(MIXED.labels)


def test_an_extension_adds_labels_to_a_part() -> None:
    extended = load("gpus: [{names: [a100-mig-1g.5gb], labels: {example.com/gpu: [slice]}}]")
    gpu = extended.gpu("a100-mig-1g.5gb")
    assert gpu.labels["example.com/gpu"] == ("slice",)
    assert gpu.resource == SLICE
    assert gpu.other is not None


@pytest.mark.parametrize(
    ("count", "limits", "words"),
    [
        (2, {GPU: "1"}, "gpuCount is 2, but spec.resources asks for 1 nvidia.com/gpu:"),
        (1, {SLICE: "2"}, "gpuCount is 1, but spec.resources asks for 2 nvidia.com/mig-1g.5gb:"),
        (0, {GPU: "1"}, "gpuCount is 0, but spec.resources asks for 1 nvidia.com/gpu:"),
        (2, {GPU: "2"}, ""),
        (2, {GPU: "1", SLICE: "1"}, ""),
        (2, {"cpu": "1"}, ""),
        (2, {"example.com/fpga": "1"}, ""),
    ],
)
def test_a_count_and_resources_that_disagree_are_reported(
    count: int, limits: dict[str, str], words: str
) -> None:
    asking = performer("p").gpu("nvidia-a100", count).resources(limits=limits)
    found = requirement(asking.typed, CATALOGUE)
    assert found
    assert words in found.conflict
    assert bool(words) == bool(found.conflict)
