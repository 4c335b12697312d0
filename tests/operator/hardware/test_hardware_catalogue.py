"""What gpuType and teeType mean, and how a mounted file adds to it."""

import re
from pathlib import Path

import pytest

from hourglass_kube.label import key_faults, value_faults
from hourglass_operator.hardware.catalogue import load, read

CATALOGUE = load()
DOCUMENT = Path(__file__).parents[3] / "docs/hardware.md"


@pytest.mark.parametrize(
    ("gpu_type", "label", "value"),
    [
        ("nvidia-a100", "nvidia.com/gpu.product", "NVIDIA-A100-SXM4-40GB"),
        ("nvidia-tesla-a100", "cloud.google.com/gke-accelerator", "nvidia-a100-80gb"),
        ("a100", "eks.amazonaws.com/instance-gpu-name", "a100"),
        ("NVIDIA_Tesla_A100", "karpenter.azure.com/sku-gpu-name", "A100"),
        ("nvidia-a100", "accelerator", "nvidia-tesla-a100"),
        ("NVIDIA-A100", "accelerator", "NVIDIA-A100"),
        ("nvidia-tesla-v100", "nvidia.com/gpu.product", "Tesla-V100-SXM2-16GB"),
        ("T4", "nvidia.com/gpu.product", "Tesla-T4"),
        ("nvidia-h100-80gb", "karpenter.k8s.aws/instance-gpu-name", "h100"),
        ("h100", "cloud.google.com/gke-accelerator", "nvidia-h100-mega-80gb"),
        ("mi300x", "amd.com/gpu.product-name", "AMD_Instinct_MI300X_OAM"),
        ("amd-mi210", "beta.amd.com/gpu.product-name", "AMD_Instinct_MI210"),
        ("intel-max", "gpu.intel.com/product", "Max_1550"),
        ("a100-mig-1g.5gb", "nvidia.com/mig-1g.5gb.product", "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb"),
    ],
)
def test_a_gpu_is_found_by_the_labels_of_real_clusters(
    gpu_type: str, label: str, value: str
) -> None:
    assert value in CATALOGUE.gpu(gpu_type).labels[label]


@pytest.mark.parametrize(
    ("gpu_type", "resource"),
    [
        ("nvidia-a100", "nvidia.com/gpu"),
        ("mi300x", "amd.com/gpu"),
        ("intel-flex-140", "gpu.intel.com/i915"),
        ("nvidia-a100-mig-3g.20gb", "nvidia.com/mig-3g.20gb"),
        ("amd-mi999", "amd.com/gpu"),
        ("intel-next", "gpu.intel.com/i915"),
        ("rtx-9090", "nvidia.com/gpu"),
    ],
)
def test_a_gpu_has_the_resource_of_its_device_plugin(gpu_type: str, resource: str) -> None:
    assert CATALOGUE.gpu(gpu_type).resource == resource


def test_one_gpu_is_not_another() -> None:
    forty = CATALOGUE.gpu("nvidia-a100-40gb").labels["nvidia.com/gpu.product"]
    eighty = CATALOGUE.gpu("nvidia-a100-80gb").labels["nvidia.com/gpu.product"]
    either = CATALOGUE.gpu("nvidia-a100").labels["nvidia.com/gpu.product"]
    assert not set(forty) & set(eighty)
    assert {*forty, *eighty} < set(either)


def test_a_gpu_that_is_not_listed_is_found_by_its_own_name() -> None:
    labels = CATALOGUE.gpu("nvidia-RTX-5090").labels
    assert labels["nvidia.com/gpu.product"] == ("nvidia-RTX-5090",)
    assert labels["cloud.google.com/gke-accelerator"] == ("nvidia-RTX-5090",)
    assert labels["karpenter.k8s.aws/instance-gpu-name"] == ("rtx-5090",)
    assert labels["accelerator"] == ("nvidia-RTX-5090", "nvidia-rtx-5090")


NFD = "feature.node.kubernetes.io/cpu-security"
GKE = "cloud.google.com/gke-confidential-nodes-instance-type"


@pytest.mark.parametrize(
    ("tee_type", "labels"),
    [
        ("sgx", {f"{NFD}.sgx.enabled": "true", "intel.feature.node.kubernetes.io/sgx": "true"}),
        ("Intel-TDX", {f"{NFD}.tdx.enabled": "true", GKE: "TDX"}),
        ("sev", {f"{NFD}.sev.enabled": "true", GKE: "SEV"}),
        ("sev.es", {f"{NFD}.sev.es.enabled": "true"}),
        ("SEV_SNP", {f"{NFD}.sev.snp.enabled": "true", GKE: "SEV_SNP"}),
        ("snp", {"amd.feature.node.kubernetes.io/snp": "true"}),
        ("se", {f"{NFD}.se.enabled": "true"}),
    ],
)
def test_a_tee_is_found_by_these_labels(tee_type: str, labels: dict[str, str]) -> None:
    known = CATALOGUE.tee(tee_type)
    for key, value in labels.items():
        assert value in known[key]


@pytest.mark.parametrize(
    ("asked", "stronger"), [("sev", "sev-es"), ("sev", "sev-snp"), ("sev-es", "sev-snp")]
)
def test_the_stronger_sev_has_the_weaker(asked: str, stronger: str) -> None:
    weak, strong = CATALOGUE.tee(asked), CATALOGUE.tee(stronger)
    assert all(set(values) <= set(weak[key]) for key, values in strong.items())
    assert set(weak) - set(strong)


def test_any_tee_is_each_of_them() -> None:
    everything = CATALOGUE.any_tee()
    for kind in ("sgx", "tdx", "sev", "sev-es", "sev-snp"):
        for key, values in CATALOGUE.tee(kind).items():
            assert set(values) <= set(everything[key])


def test_every_label_is_one_that_kubernetes_takes() -> None:
    for name in CATALOGUE.gpus:
        for key, values in CATALOGUE.gpu(name).labels.items():
            assert not key_faults(key)
            assert not any(value_faults(value) for value in values)


def test_an_extension_adds_to_a_known_gpu_under_all_its_names() -> None:
    extended = load("gpus: [{names: [a100, big], labels: {example.com/gpu: [big]}}]")
    for name in ("a100", "nvidia-tesla-a100", "big"):
        assert extended.gpu(name).labels["example.com/gpu"] == ("big",)
        assert "NVIDIA-A100-SXM4-40GB" in extended.gpu(name).labels["nvidia.com/gpu.product"]
    assert "example.com/gpu" not in CATALOGUE.gpu("a100").labels


def test_an_extension_changes_the_resource_of_a_known_gpu() -> None:
    extended = load("gpus: [{names: [nvidia-t4], resource: nvidia.com/gpu.shared}]")
    assert extended.gpu("t4").resource == "nvidia.com/gpu.shared"


def test_an_extension_adds_vendors_tees_and_plain_labels() -> None:
    extended = load(
        """
        plainLabels: [example.com/card]
        vendors: [{prefix: acme-, resource: acme.com/npu, labels: [acme.com/model]}]
        gpus: [{names: [acme-1]}]
        tees:
        - {names: [cca], labels: {example.com/cca: ["yes"]}}
        - {names: [tdx, td], labels: {x: ["1"]}}
        """
    )
    assert extended.gpu("acme-1").resource == "acme.com/npu"
    assert extended.gpu("acme-2").labels["acme.com/model"] == ("acme-2",)
    assert extended.gpu("a100").labels["example.com/card"][0] == "a100"
    assert extended.tee("cca") == {"example.com/cca": ("yes",)}
    assert extended.tee("td")["x"] == ("1",)
    assert extended.tee("td")[f"{NFD}.tdx.enabled"] == ("true",)
    assert "acme.com" in extended.gpu_domains


def test_the_longest_prefix_names_the_vendor() -> None:
    extended = load("vendors: [{prefix: nvidia-jetson-, resource: example.com/jetson}]")
    assert extended.gpu("nvidia-jetson-orin").resource == "example.com/jetson"
    assert extended.gpu("nvidia-other").resource == "nvidia.com/gpu"


def test_tees_that_include_each_other_are_the_same() -> None:
    tees = "tees: [{names: [a], includes: [b], labels: {x: ['1']}}, {names: [b], includes: [a, c]}]"
    assert load(tees).tee("a") == load(tees).tee("b") == {"x": ("1",)}


@pytest.mark.parametrize("text", ["", "# nothing", "{}"])
def test_an_empty_extension_changes_nothing(text: str) -> None:
    assert load(text) == CATALOGUE


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("gpus: [", "hardware catalogue: not YAML: while parsing"),
        ("gpus: 2020-13-45", "hardware catalogue: not YAML: 2020-13-45 is no timestamp"),
        ("gpus: " + "[" * 2_000, "hardware catalogue: not YAML: while increasing flow level"),
        ("[]", "the document: Input should be a valid dictionary"),
        ("gpu: []", "gpu: unknown field"),
        ("gpus: {a100: {}}", "gpus: Input should be a valid list"),
        ("gpus: [{labels: {}}]", "gpus[0].names: Field required"),
        ("gpus: [{names: []}]", "gpus[0].names: List should have at least 1 item"),
        ("gpus: [{names: [x], label: {}}]", "gpus[0].label: unknown field"),
        ("gpus: [{names: [x], resource: gpu}]", "gpus[0].resource: not an extended resource such"),
        ("gpus: [{names: [x], labels: {a b: [x]}}]", "gpus[0].labels.a b: not a label key"),
        ("gpus: [{names: [x], labels: {a: [x y]}}]", "gpus[0].labels.a[0]: not a label value"),
        ("gpus: [{names: [x], labels: {a: x}}]", "gpus[0].labels.a: Input should be a valid list"),
        (
            "tees: [{names: [x], labels: {a: [true]}}]",
            "tees[0].labels.a[0]: Input should be a valid string (write it in quotes), found True",
        ),
        ("vendors: [{prefix: x}]", "vendors[0].resource: Field required"),
    ],
)
def test_a_bad_extension_is_refused_with_the_place(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)):
        load(text)


def test_a_catalogue_of_its_own_knows_nothing_else() -> None:
    alone = read("vendors: [{prefix: x-, resource: x.com/gpu, labels: [x.com/model]}]")
    assert alone.gpu("a100").resource == "x.com/gpu"
    assert alone.gpu("a100").labels == {"x.com/model": ("a100",)}


def test_the_example_of_the_document_does_what_the_document_says() -> None:
    text = DOCUMENT.read_text("utf-8")
    found = re.search(r"  catalogue\.yaml: \|\n((?:    .*\n|\n)+)", text)
    assert found
    extended = load(found[1].replace("\n    ", "\n"))
    assert extended.gpu("nvidia-a100").labels["example.com/gpu-pool"] == ("training",)
    assert "Tesla-T4-SHARED" in extended.gpu("shared-t4").labels["nvidia.com/gpu.product"]
    assert extended.gpu("acme-npu-7").resource == "acme.example.com/npu"
    assert extended.tee("cca") == {"example.com/arm-cca": ("true",)}


def test_the_document_lists_every_gpu_and_tee() -> None:
    text = DOCUMENT.read_text("utf-8")
    names = {gpu.names[0] for gpu in CATALOGUE.gpus.values()}
    names |= {tee.names[0] for tee in CATALOGUE.tees.values()}
    assert sorted(name for name in names if f"`{name}`" not in text) == []
