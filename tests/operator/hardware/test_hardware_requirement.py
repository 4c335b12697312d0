"""What a spec asks of the hardware."""

from dataclasses import replace
from typing import Any

import pytest

from builders import CATALOGUE, PerformerBuilder, performer
from hourglass_operator.hardware.requirement import Requirement, requirement

P = performer("p")


def needed(asking: PerformerBuilder) -> Requirement:
    found = requirement(asking.typed, CATALOGUE)
    assert found is not None
    return found


def hardware(**fields: Any) -> PerformerBuilder:
    return replace(P, spec={**P.spec, "hardwareRequirements": fields})


GPU, EPC = "nvidia.com/gpu", "sgx.intel.com/epc"


@pytest.mark.parametrize(
    ("asking", "devices", "text", "noun"),
    [
        pytest.param(
            hardware(gpuType="nvidia-a100", gpuCount=2),
            {GPU: 2},
            "2 × nvidia-a100",
            "GPU",
            id="type and count",
        ),
        pytest.param(
            hardware(gpuType="nvidia-a100"),
            {GPU: 1},
            "1 × nvidia-a100",
            "GPU",
            id="a type alone asks for one",
        ),
        pytest.param(
            hardware(gpuType="nvidia-a100", gpuCount=0),
            {},
            "nvidia-a100",
            "GPU",
            id="a count of 0 asks for the node alone",
        ),
        pytest.param(hardware(gpuCount=3), {GPU: 3}, "3 × GPU", "GPU", id="a count alone"),
        pytest.param(
            hardware(gpuCount=3).resources(limits={"amd.com/gpu": "1"}),
            {"amd.com/gpu": 1},
            "1 × amd.com/gpu",
            "GPU",
            id="a count alone gives way to any vendor's device in resources",
        ),
        pytest.param(
            hardware(gpuType="mi300x", gpuCount=8),
            {"amd.com/gpu": 8},
            "8 × mi300x",
            "GPU",
            id="another vendor",
        ),
        pytest.param(
            hardware(gpuType="nvidia-a100", gpuCount=2).resources(limits={GPU: "4"}),
            {GPU: 4},
            "4 × nvidia-a100",
            "GPU",
            id="resources go before the count",
        ),
        pytest.param(
            hardware(gpuType="nvidia-a100").resources(limits={"nvidia.com/mig-1g.5gb": "1"}),
            {"nvidia.com/mig-1g.5gb": 1},
            "1 × nvidia.com/mig-1g.5gb and nvidia-a100",
            "GPU",
            id="a slice named in resources takes the place of the whole GPU",
        ),
        pytest.param(
            hardware(gpuType="nvidia-a100").resources(limits={"example.com/fpga": "1"}),
            {GPU: 1, "example.com/fpga": 1},
            "1 × nvidia-a100 and 1 × example.com/fpga",
            "hardware",
            id="another device in resources stands beside the GPU",
        ),
        pytest.param(
            P.resources(requests={GPU: "1", "cpu": "4"}, limits={GPU: "1"}),
            {GPU: 1},
            "1 × nvidia.com/gpu",
            "GPU",
            id="a device in resources is hardware also without hardwareRequirements",
        ),
        pytest.param(
            hardware(teeRequired=True, teeType="sgx").resources(limits={EPC: "128Mi"}),
            {EPC: 134217728},
            "128Mi of sgx.intel.com/epc and TEE sgx",
            "hardware",
            id="an amount keeps its unit",
        ),
        pytest.param(hardware(teeType="sgx"), {}, "TEE sgx", "TEE", id="a TEE type alone"),
        pytest.param(
            hardware(teeType="sgx", teeRequired=False), {}, "TEE sgx", "TEE", id="and with false"
        ),
        pytest.param(hardware(teeRequired=True), {}, "a TEE", "TEE", id="any TEE"),
        pytest.param(
            hardware(customLabels={"b": "2", "a": "1"}),
            {},
            "a node labelled a=1, b=2",
            "label",
            id="custom labels in order",
        ),
    ],
)
def test_requirement(
    asking: PerformerBuilder, devices: dict[str, int], text: str, noun: str
) -> None:
    found = needed(asking)
    assert {device.resource: device.count for device in found.devices} == devices
    assert (str(found), found.noun) == (text, noun)


@pytest.mark.parametrize(
    "asking",
    [
        P,
        hardware(),
        hardware(gpuCount=0),
        hardware(teeRequired=False, teeType="", gpuType=""),
        P.resources(requests={"cpu": "1", "memory": "1Gi"}),
        P.resources(limits={GPU: "0"}),
    ],
)
def test_nothing_special_is_no_requirement(asking: PerformerBuilder) -> None:
    assert requirement(asking.typed, CATALOGUE) is None


@pytest.mark.parametrize(
    ("labels", "satisfied"),
    [
        ({"accelerator": "a100", "tier": "premium"}, True),
        ({"cloud.google.com/gke-accelerator": "nvidia-tesla-a100", "tier": "premium"}, True),
        ({"accelerator": "a100"}, False),
        ({"accelerator": "a100", "tier": "basic"}, False),
        ({"accelerator": "t4", "tier": "premium"}, False),
        ({}, False),
    ],
)
def test_labels_satisfy_it_all_or_not(labels: dict[str, str], satisfied: bool) -> None:
    asking = hardware(gpuType="nvidia-a100", customLabels={"tier": "premium"})
    assert needed(asking).labelled(labels) is satisfied
