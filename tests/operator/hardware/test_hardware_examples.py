"""The examples of the API reference run on the nodes that they are meant for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import CATALOGUE, NodeBuilder, node, pod_spec_of
from hourglass_kube.affinity import node_matches
from hourglass_kube.node import view
from hourglass_kube.podresources import requests
from hourglass_kube.toleration import untolerated
from hourglass_operator.api import PerformerSpec
from hourglass_operator.hardware.explain import offers
from hourglass_operator.hardware.requirement import requirement

EXAMPLES = Path(__file__).parents[3] / "examples"
A100 = (
    node("a100")
    .label("accelerator", "nvidia-tesla-a100")
    .offers("nvidia.com/gpu", 8)
    .taint("nvidia.com/gpu", "present")
)
SGX = (
    node("sgx")
    .label("intel.feature.node.kubernetes.io/sgx", "true")
    .label("feature.node.kubernetes.io/cpu-security.sgx.enabled", "true")
    .label("sgx.intel.com/epc", "128Mi")
    .taint("sgx", "enabled")
)
M5 = (
    node("m5")
    .label("node.kubernetes.io/instance-type", "m5.4xlarge")
    .label("workload-type", "compute-intensive")
    .label("kubernetes.io/arch", "amd64")
    .label("performance-tier", "premium")
    .label("network-bandwidth", "10gbps")
    .taint("dedicated", "avs-workloads")
)


def example(name: str) -> PerformerSpec:
    document: Any = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    return PerformerSpec.model_validate(document["spec"])


@pytest.mark.parametrize(
    ("name", "fitting"),
    [
        ("gpu", A100),
        ("gpu", A100.label("nvidia.com/gpu.product", "NVIDIA-A100-SXM4-40GB")),
        ("tee", SGX),
        ("complex", M5),
        ("minimal", node("plain")),
        ("env", node("plain")),
    ],
)
def test_the_example_fits(name: str, fitting: NodeBuilder) -> None:
    spec, on = example(name), view(fitting.build())
    pod = pod_spec_of(spec)
    needed = requirement(spec, CATALOGUE)
    assert node_matches(pod, on)
    assert untolerated(pod.get("tolerations", []), on.taints) is None
    assert needed is None or offers(on, needed)


@pytest.mark.parametrize(
    ("name", "unfit"),
    [
        ("gpu", node("no-label").offers("nvidia.com/gpu", 8)),
        ("gpu", node("other-gpu").label("accelerator", "nvidia-l4").offers("nvidia.com/gpu", 8)),
        ("tee", node("no-epc").label("intel.feature.node.kubernetes.io/sgx", "true")),
        ("complex", M5.label("performance-tier", "basic")),
    ],
)
def test_the_example_does_not_fit(name: str, unfit: NodeBuilder) -> None:
    spec = example(name)
    assert not node_matches(pod_spec_of(spec), view(unfit.build()))


def test_the_gpu_example_asks_for_two_devices_once() -> None:
    assert requests(pod_spec_of(example("gpu")))["nvidia.com/gpu"] == 2
