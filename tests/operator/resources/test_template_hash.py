import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldens.record_resources import performer
from hourglass_operator.api import PerformerSpec
from hourglass_operator.resources.template import former_hash, template_hash

FULL = performer("full")["spec"]
MINIMAL = performer("minimal")["spec"]


def hashed(spec: dict[str, Any]) -> str:
    return template_hash(PerformerSpec.model_validate(spec))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minimal", "b559v9bwz7"),
        ("env", "zx52czmh4s"),
        ("gpu", "4h66n2w5sb"),
        ("tee", "xxp6qmhjj5"),
        ("complex", "7hbvvmmplk"),
        ("full", "gd7cg7ffbk"),
    ],
    ids=lambda value: str(value),
)
def test_a_release_does_not_roll_anyones_pods(name: str, expected: str) -> None:
    """If this fails, an update of the operator would restart every Performer: do not edit it."""
    assert hashed(performer(name)["spec"]) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minimal", "b559v9bwz7"),
        ("env", "zx52czmh4s"),
        ("gpu", "659l5vv956"),
        ("tee", "xxp6qmhjj5"),
        ("complex", "fqtkf8vkcq"),
        ("full", "t4rtghxzhn"),
    ],
    ids=lambda value: str(value),
)
def test_pods_of_earlier_releases_are_known(name: str, expected: str) -> None:
    """As above: the hashes that pods bear which were made before CPU and memory were left out."""
    assert former_hash(PerformerSpec.model_validate(performer(name)["spec"])) == expected


def test_what_can_change_while_a_pod_runs_does_not_count() -> None:
    gpu = {"nvidia.com/gpu": "1"}
    one = {"limits": {"cpu": "1", "memory": "1Gi", **gpu}, "requests": {"memory": "1Gi"}}
    assert hashed({**MINIMAL, "resources": one}) == hashed(
        {**MINIMAL, "resources": {"limits": gpu}}
    )
    assert hashed({**MINIMAL, "resources": {"requests": {"cpu": "1"}}}) == hashed(MINIMAL)


def test_a_hash_fits_into_names_and_labels() -> None:
    assert re.fullmatch("[a-z0-9]{10}", hashed(FULL))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"config": {"grpcPort": 9090}}, id="the default gRPC port"),
        pytest.param({"config": {"healthCheck": "TCP"}}, id="the default health check"),
        pytest.param({"config": {"livenessCheck": "None"}}, id="the default liveness check"),
        pytest.param({"config": {"securityContext": {}}}, id="an empty security context"),
        pytest.param({"config": {"podSecurityContext": {}}}, id="the same of the pod"),
        pytest.param({"config": {}}, id="an empty config"),
        pytest.param({"config": {"env": [], "environment": {}, "args": []}}, id="empty lists"),
        pytest.param({"version": ""}, id="an empty version"),
        pytest.param({"resources": {"limits": {}, "requests": {}}}, id="empty resources"),
        pytest.param(
            {"scheduling": {"nodeSelector": {}, "tolerations": [], "affinity": {}}},
            id="empty scheduling, as templates write it",
        ),
        pytest.param(
            {"hardwareRequirements": {"teeRequired": False, "customLabels": {}}},
            id="hardware requirements that require nothing",
        ),
        pytest.param({"imagePullSecrets": []}, id="no pull secrets"),
        pytest.param(
            {
                "upgradeStrategy": {
                    "type": "Recreate",
                    "progressDeadlineSeconds": 1,
                    "minReadySeconds": 9,
                }
            },
            id="how to upgrade",
        ),
        pytest.param({"ofALaterRelease": 1}, id="a field this release does not know"),
    ],
)
def test_what_says_nothing_does_not_count(fields: dict[str, Any]) -> None:
    assert hashed({**MINIMAL, **fields}) == hashed(MINIMAL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            {"config": {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}},
            {"config": {"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]}},
            id="the order of variables, which may refer to each other",
        ),
        pytest.param(
            {"resources": {"limits": {"nvidia.com/gpu": "1"}}},
            {"resources": {"limits": {"nvidia.com/gpu": "1000m"}}},
            id="how a quantity is written",
        ),
        pytest.param(
            {"config": {"environment": {"A": ""}}}, {}, id="a variable with an empty value"
        ),
        pytest.param({"version": "v2"}, {}, id="the version"),
        pytest.param(
            {"scheduling": {"affinity": {"podAffinity": {"labelSelector": {}}}}},
            {"scheduling": {"affinity": {"podAffinity": {}}}},
            id="a selector of everything and none",
        ),
    ],
)
def test_what_says_something_counts(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert hashed({**MINIMAL, **one}) != hashed({**MINIMAL, **other})


@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_count(random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, list):
            return [shuffled(item) for item in value]
        if isinstance(value, dict):
            items = [(key, shuffled(item)) for key, item in value.items()]
            random.shuffle(items)
            return dict(items)
        return value

    other = shuffled(FULL)
    assert hashed(other) == hashed(FULL), json.dumps(other)
