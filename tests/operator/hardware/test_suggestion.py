"""What is said of hardware that the catalogue does not know."""

import pytest

from builders import CATALOGUE, PerformerBuilder, node, performer
from hourglass_kube.node import view
from hourglass_operator.hardware.explain import explain
from hourglass_operator.hardware.requirement import requirement
from hourglass_operator.hardware.suggestion import nearest
from hourglass_operator.resources.pod import build_pod_spec


def message(asking: PerformerBuilder, **offers: int) -> str:
    spec = asking.typed
    on = node("n")
    for resource, count in offers.items():
        on = on.offers(resource, count)
    needed = requirement(spec, CATALOGUE)
    pod_spec = build_pod_spec(spec, needed)
    return explain(CATALOGUE, needed, [view(on.build())], {}, pod_spec, "").message


@pytest.mark.parametrize(
    ("gpu_type", "first"),
    [
        ("nvidia-a1000", "nvidia-a100"),
        ("nvdia-a100", "nvidia-a100"),
        ("a100-80g", "nvidia-a100-80gb"),
        ("nvidia_h10", "nvidia-h100"),
        ("tesla-t4", "nvidia-t4"),
        ("L40-S", "nvidia-l40s"),
        ("mi-300x", "amd-mi300x"),
        ("amd-mi355", "amd-mi355x"),
        ("gaudi-x", "intel-gaudi1"),
        ("rtx-pro6000", "nvidia-rtx-pro-6000"),
    ],
)
def test_the_nearest_name_comes_first(gpu_type: str, first: str) -> None:
    found = nearest(gpu_type, CATALOGUE)
    assert found[0] == first
    assert len(found) <= 3


@pytest.mark.parametrize("gpu_type", ["nvidia-zzzz", "quantum-computer", "fpga"])
def test_a_name_like_no_other_gets_no_guess(gpu_type: str) -> None:
    assert nearest(gpu_type, CATALOGUE) == []


@pytest.mark.parametrize(
    ("asking", "offers", "words"),
    [
        pytest.param(
            performer("p").gpu("nvidia-h1000"),
            {},
            "; the catalogue has no nvidia-h1000: did you mean nvidia-h100",
            id="an unknown GPU",
        ),
        pytest.param(
            performer("p").tee("sgxx"),
            {},
            "; the catalogue has no TEE sgxx, but sgx, tdx, sev, sev-es, sev-snp",
            id="an unknown TEE",
        ),
        pytest.param(
            performer("p").tee("sgx"),
            {"kubernetes.azure.com/sgx_epc_mem_in_MiB": 12},
            "; 1 node offers kubernetes.azure.com/sgx_epc_mem_in_MiB without a label that names "
            "its type (such as feature.node.kubernetes.io/cpu-security.sgx.enabled=true)",
            id="SGX on AKS without its label",
        ),
        pytest.param(
            performer("p").tee("tdx"),
            {"tdx.intel.com/keys": 31},
            "; 1 node offers tdx.intel.com/keys without a label that names its type",
            id="TDX without its label",
        ),
        pytest.param(
            performer("p").tee(),
            {"sev-snp.amd.com/esids": 8},
            "; 1 node offers sev-snp.amd.com/esids without a label that names its type",
            id="any TEE without its label",
        ),
        pytest.param(
            performer("p").gpu("nvidia-l40"),
            {},
            "needs 1 × nvidia-l40: the only node does not have nvidia-l40",
            id="a known GPU gets no guess",
        ),
    ],
)
def test_what_is_said(asking: PerformerBuilder, offers: dict[str, int], words: str) -> None:
    said = message(asking, **offers)
    assert said.endswith(words) if words.startswith("needs") else words in said
