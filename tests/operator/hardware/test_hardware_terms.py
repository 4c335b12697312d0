"""Hardware becomes node affinity and device resources of the pod."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import CATALOGUE, performer
from hourglass_kube.affinity import node_matches
from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec
from hourglass_operator.hardware.requirement import Requirement, requirement
from hourglass_operator.hardware.terms import device_resources, node_affinity

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
LABELS = {
    "accelerator": ["a100", "t4"],
    "nvidia.com/gpu.product": ["NVIDIA-A100-SXM4-40GB", "Tesla-T4"],
    "intel.feature.node.kubernetes.io/sgx": ["true", "false"],
    "amd.feature.node.kubernetes.io/snp": ["true"],
    "tier": ["premium", "basic"],
    "zone": ["a", "b"],
}
GPU = performer("p").gpu("nvidia-a100", 2)


def needed(**hardware: Any) -> Requirement | None:
    spec = {**performer("p").spec, "hardwareRequirements": hardware}
    return requirement(PerformerSpec.model_validate(spec), CATALOGUE)


def terms_of(affinity: JSON | None) -> list[JSON]:
    assert affinity is not None
    terms: list[JSON] = affinity["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    return terms


nodes = st.dictionaries(st.sampled_from(sorted(LABELS)), st.integers(0, 1)).map(
    lambda chosen: NodeView("n", {k: LABELS[k][i % len(LABELS[k])] for k, i in chosen.items()})
)
expressions = st.builds(
    lambda key, operator, value: (
        {"key": key, "operator": operator}
        | ({"values": [value]} if operator in ("In", "NotIn") else {})
    ),
    st.sampled_from(["zone", "tier"]),
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.sampled_from(["a", "premium"]),
)
terms = st.lists(
    st.one_of(
        st.lists(expressions, max_size=2).map(lambda es: {"matchExpressions": es}),
        st.sampled_from(["n", "other"]).map(
            lambda name: {
                "matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]
            }
        ),
    ),
    max_size=3,
)
affinities: st.SearchStrategy[JSON | None] = st.one_of(
    st.none(),
    st.just({"podAffinity": {}}),
    terms.map(lambda ts: {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": ts}}}),
)
hardware = st.fixed_dictionaries(
    {},
    optional={
        "gpuType": st.sampled_from(["nvidia-a100", "t4"]),
        "teeRequired": st.just(True),
        "teeType": st.sampled_from(["sgx", "sev"]),
        "customLabels": st.just({"tier": "premium"}),
    },
)


@given(nodes, affinities, hardware)
def test_a_node_is_permitted_if_the_user_and_the_hardware_permit_it(
    node: NodeView, affinity: JSON | None, asked: JSON
) -> None:
    wanted = needed(**asked)
    both = {"affinity": node_affinity(affinity, wanted)}
    permitted = node_matches({"affinity": affinity}, node)
    assert node_matches(both, node) == (
        permitted and (wanted is None or wanted.labelled(node.labels))
    )


@pytest.mark.parametrize("affinity", [None, {}, {"podAffinity": {"x": [1]}}])
def test_without_labels_to_ask_for_the_affinity_is_untouched(affinity: JSON | None) -> None:
    assert node_affinity(affinity, needed(gpuCount=2)) is affinity
    assert node_affinity(affinity, None) is affinity


def test_a_term_that_permits_no_node_does_not_come_to_permit_one() -> None:
    empty: JSON = {"matchExpressions": []}
    some = _term("x")
    asked = needed(customLabels={"a": "1"})
    for own, expected in (([empty, some], 1), ([empty], 1)):
        user = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": own}}}
        merged = terms_of(node_affinity(user, asked))
        assert len(merged) == expected
        assert not node_matches({"affinity": node_affinity(user, asked)}, NodeView("n", {"a": "1"}))


def test_the_rest_of_the_affinity_is_kept_and_the_given_one_not_changed() -> None:
    preferred = [{"weight": 1, "preference": {}}]
    given_affinity: JSON = {
        "podAntiAffinity": {"x": []},
        "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred},
    }
    merged = node_affinity(given_affinity, needed(customLabels={"a": "1"}))
    assert merged == {
        "podAntiAffinity": {"x": []},
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
            REQUIRED: {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}
                ]
            },
        },
    }
    assert REQUIRED not in given_affinity["nodeAffinity"]


def test_the_values_of_a_label_stand_in_one_expression_so_that_the_product_stays_small() -> None:
    user = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [_term(str(i)) for i in range(32)]}}}
    merged = terms_of(node_affinity(user, needed(gpuType="nvidia-a100", teeRequired=True)))
    assert len(merged) == 32 * 9 * 10
    # Three labels, and at most two that must not be beside that of the GPU.
    assert all(3 <= len(term["matchExpressions"]) <= 5 for term in merged)
    # etcd takes 1.5 MiB.
    assert len(json.dumps(merged, separators=(",", ":"))) < 1_450_000


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param(
            {},
            {"requests": {"nvidia.com/gpu": "2"}, "limits": {"nvidia.com/gpu": "2"}},
            id="devices are added to requests and limits",
        ),
        pytest.param(
            {"requests": {"cpu": "1"}},
            {"requests": {"cpu": "1", "nvidia.com/gpu": "2"}, "limits": {"nvidia.com/gpu": "2"}},
            id="beside what is there",
        ),
        pytest.param(
            {"limits": {"nvidia.com/gpu": "1"}},
            {"limits": {"nvidia.com/gpu": "1"}},
            id="unless they are named",
        ),
        pytest.param(
            {"limits": {"nvidia.com/mig-1g.5gb": "1"}},
            {"limits": {"nvidia.com/mig-1g.5gb": "1"}},
            id="or a slice of them is",
        ),
    ],
)
def test_device_resources(resources: JSON, expected: JSON) -> None:
    spec = GPU.resources(**resources).typed
    assert device_resources(spec.resources, requirement(spec, CATALOGUE)) == expected


def test_no_devices_leave_the_resources_alone() -> None:
    resources = {"requests": {"cpu": "1"}}
    assert device_resources(resources, needed(teeType="sgx")) is resources
    assert device_resources(resources, None) is resources


def _term(value: str) -> JSON:
    return {"matchExpressions": [{"key": "k", "operator": "In", "values": [value]}]}
