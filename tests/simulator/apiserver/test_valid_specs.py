"""Specs that are remembered as valid: others that are nearly the same are still refused."""

from typing import Any

import pytest

from hourglass_simulator.apiserver.pod_defaults import defaulted
from hourglass_simulator.apiserver.rules import valid_specs

META = {"name": "web", "namespace": "default"}


def spec(volume: str = "kube-api-access-2b4x9", mount: str = "", **more: Any) -> dict[str, Any]:
    mounts = [{"name": mount or volume, "mountPath": "/token"}]
    containers = [{"name": "main", "image": "web:v1", "volumeMounts": mounts}]
    return defaulted({"containers": containers, "volumes": [{"name": volume}], **more})


def faults(given: dict[str, Any], meta: dict[str, Any] = META) -> list[str]:
    return [fault.field for fault in valid_specs.faults(given, meta)]


MOUNTED = ["spec.containers[0].volumeMounts[0].name"]
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
EPHEMERAL = {"name": "data", "ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(spec(), [], id="the same again"),
        pytest.param(spec("kube-api-access-zzzzz"), [], id="another generated name"),
        pytest.param(spec(mount="data"), MOUNTED, id="a mount of a volume that is not there"),
        pytest.param(
            spec(mount="kube-api-access-zzzzz"), MOUNTED, id="a mount of another pod's volume"
        ),
        pytest.param(
            spec(mount="kube-api-access-xxxxx"), MOUNTED, id="a mount by the name that stands in"
        ),
        pytest.param(
            spec("kube-api-access-ABCDE"),
            ["spec.volumes[0].name", *MOUNTED],
            id="a name of that length that is none",
        ),
        pytest.param(spec(restartPolicy="Sometimes"), ["spec.restartPolicy"], id="another value"),
        pytest.param(
            spec(activeDeadlineSeconds=2**70), ["spec.activeDeadlineSeconds"], id="a huge number"
        ),
    ],
)
def test_a_valid_spec_does_not_let_others_in(given: dict[str, Any], expected: list[str]) -> None:
    assert faults(spec()) == []
    assert faults(given) == expected
    assert faults(given) == expected


def test_the_name_of_the_pod_counts_where_claims_are_made_for_it() -> None:
    given = spec()
    given = {**given, "volumes": [*given["volumes"], EPHEMERAL]}
    assert faults(given) == []
    assert faults(given, {**META, "name": "web" * 100}) != []


def test_equal_specs_have_the_same_defaults_and_nobody_elses() -> None:
    given = {"containers": [{"name": "main", "image": "web:v1"}]}
    assert defaulted(given) is defaulted({"containers": [{"name": "main", "image": "web:v1"}]})
    assert defaulted({**given, "hostNetwork": True}) != defaulted(given)
    assert "tolerations" not in given
