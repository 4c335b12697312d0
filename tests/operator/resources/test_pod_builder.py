import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from goldens.record_resources import CATALOGUE, NAMES, UID, built, performer
from hourglass_operator.api import HealthCheck, PerformerSpec
from hourglass_operator.hardware.requirement import requirement
from hourglass_operator.resources import names
from hourglass_operator.resources.owner import owner_reference
from hourglass_operator.resources.pod import (
    PodDefaults,
    build_pod,
    build_pod_spec,
    pod_drifts,
    pod_repair,
)
from hourglass_operator.resources.template import template_hash

GOLDENS = Path(__file__).parents[2] / "goldens/resources"
RECORDED = performer("full")["spec"]
LATER = {
    "livenessCheck": "GRPC",
    "securityContext": {
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    },
    "podSecurityContext": {
        "runAsNonRoot": True,
        "fsGroup": 2000,
        "seccompProfile": {"type": "Localhost", "localhostProfile": "performer.json"},
    },
    "resourceClaims": [{"name": "nic", "resourceClaimTemplateName": "fast"}],
}
"""Fields of `config` that are younger than the recorded pod, whose hash is pinned."""
FULL = {
    **RECORDED,
    "config": {**RECORDED["config"], **LATER},
    "disruption": {"policy": "MoveFirst", "maxWaitSeconds": 60},
    "hardwareRequirements": {
        **RECORDED["hardwareRequirements"],
        "onUnhealthy": "Replace",
        "allocation": "DevicePlugin",
    },
}
MINIMAL = performer("minimal")["spec"]
AVS = MINIMAL["avsAddress"]

NOT_OF_THE_POD = (("upgradeStrategy",), ("disruption",), ("hardwareRequirements", "onUnhealthy"))
ONLY_IN_THE_HASH = (
    ("version",),
    ("hardwareRequirements", "teeRequired"),
    ("hardwareRequirements", "allocation"),
)
"""teeRequired says nothing that teeType has not said; Auto claims where the nodes ask for it."""
RESIZED = [
    ("resources", kind, name) for kind in ("limits", "requests") for name in ("cpu", "memory")
]
"""What reaches the pod, and is changed while it runs."""

Path_ = tuple[str | int, ...]


def leaves(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Paths of all values that are neither objects nor lists, or empty ones."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    found = False
    for key, item in items:
        found = True
        yield from leaves(item, (*path, key))
    if not found:
        yield path


def changed(path: Path_) -> dict[str, Any]:
    """FULL with another value at this path."""
    spec: dict[str, Any] = deepcopy(FULL)
    parent: Any = spec
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = other(parent[path[-1]])
    return spec


def other(value: Any) -> Any:
    special = {
        "IfNotPresent": "Always",
        "GRPC": "TCP",
        "Recreate": "Auto",
        "MoveFirst": "Evict",
        "Replace": "Keep",
        "DevicePlugin": "Auto",
        FULL["avsAddress"]: AVS,
    }
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        return {"matchLabels": {"a": "b"}}
    return special.get(value) or f"{value}0"


def pod(spec: dict[str, Any]) -> dict[str, Any]:
    """Labels and PodSpec: what of a pod depends on the spec, but for the hash."""
    labels = names.labels("p", spec["avsAddress"])
    return {"labels": labels, "spec": pod_spec(spec)}


def pod_spec(spec: dict[str, Any]) -> dict[str, Any]:
    typed = PerformerSpec.model_validate(spec)
    return build_pod_spec(typed, requirement(typed, CATALOGUE))


def container(**config: Any) -> dict[str, Any]:
    found: dict[str, Any] = pod_spec({**MINIMAL, "config": config})["containers"][0]
    return found


def hashed(spec: dict[str, Any]) -> str:
    return template_hash(PerformerSpec.model_validate(spec))


@pytest.mark.parametrize("path", [pytest.param(p, id=".".join(map(str, p))) for p in leaves(FULL)])
def test_every_value_of_a_spec_reaches_the_pod(path: Path_) -> None:
    spec = changed(path)
    not_of_the_pod = any(path[: len(part)] == part for part in NOT_OF_THE_POD)
    assert (hashed(spec) != hashed(FULL)) is (not not_of_the_pod and path not in RESIZED)
    reaches_the_pod = not not_of_the_pod and path not in ONLY_IN_THE_HASH
    assert (pod(spec) != pod(FULL)) is reaches_the_pod


def test_the_full_spec_is_full() -> None:
    def missing(model: type[BaseModel], value: dict[str, Any]) -> Iterator[str]:
        for field in model.model_fields.values():
            name = field.alias or ""
            inner = field.annotation
            if name not in value:
                yield name
            elif isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from missing(inner, value[name])

    assert list(missing(PerformerSpec, FULL)) == []


def test_tee_required_reaches_the_pod_when_no_type_says_more() -> None:
    required = {**MINIMAL, "hardwareRequirements": {"teeRequired": True}}
    assert pod_spec(required) != pod_spec(MINIMAL)


@pytest.mark.parametrize("name", NAMES)
def test_the_api_server_takes_the_pod_as_it_is(name: str) -> None:
    stored = json.loads((GOLDENS / f"{name}.golden.json").read_text())["pod"]
    assert_kept(built(name)[0], stored, "pod")


def assert_kept(sent: Any, stored: Any, path: str) -> None:
    """All that was sent is stored; the server may add fields, and its own at the end of lists."""
    if isinstance(sent, dict):
        for key, value in sent.items():
            assert key in stored, f"{path}.{key} was dropped"
            assert_kept(value, stored[key], f"{path}.{key}")
    elif isinstance(sent, list):
        assert len(sent) == len(stored) or path.endswith(".tolerations"), path
        for index, (one, other_one) in enumerate(zip(sent, stored, strict=False)):
            assert_kept(one, other_one, f"{path}[{index}]")
    else:
        assert sent == stored, path


RESTRICTED = performer("restricted")["spec"]
DEFAULTS = PodDefaults(
    security_context={"capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True},
    pod_security_context={"runAsNonRoot": True, "runAsUser": 65532},
    liveness_check=HealthCheck.TCP,
)


def with_defaults(**config: Any) -> dict[str, Any]:
    typed = PerformerSpec.model_validate({**MINIMAL, "config": config})
    return build_pod_spec(typed, None, DEFAULTS)


def test_the_restricted_example_meets_the_standard() -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    spec = pod_spec(RESTRICTED)
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            {"readOnlyRootFilesystem": True},
            {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True},
            id="what it does not say stays",
        ),
        pytest.param(
            {"allowPrivilegeEscalation": True}, {"allowPrivilegeEscalation": True}, id="its word"
        ),
        pytest.param({"privileged": True}, {"privileged": True}, id="privileged"),
        pytest.param(
            {"capabilities": {"add": ["CAP_SYS_ADMIN"]}},
            {"capabilities": {"add": ["CAP_SYS_ADMIN"]}},
            id="as good as privileged",
        ),
    ],
)
def test_the_containers_security_context(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert container(securityContext=given)["securityContext"] == expected


@pytest.mark.parametrize(
    ("check", "asked"),
    [
        ("TCP", {"tcpSocket": {"port": "grpc"}}),
        ("GRPC", {"grpc": {"port": 7000}}),
        ("None", None),
    ],
)
def test_liveness_is_probed_once_the_performer_has_answered(
    check: str, asked: dict[str, Any] | None
) -> None:
    found = container(livenessCheck=check, grpcPort=7000, healthCheck="None")
    alive, up = found.get("livenessProbe"), found.get("startupProbe")
    if asked is None:
        assert (alive, up) == (None, None)
    else:
        assert alive == {**asked, "periodSeconds": 10, "failureThreshold": 3}
        assert up == {**asked, "periodSeconds": 5, "failureThreshold": 2**31 - 1}


def test_the_operators_defaults_are_for_what_a_spec_does_not_say() -> None:
    spec = with_defaults()
    assert spec["securityContext"] == {
        "seccompProfile": {"type": "RuntimeDefault"},
        **DEFAULTS.pod_security_context,
    }
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        **DEFAULTS.security_context,
    }
    assert "tcpSocket" in spec["containers"][0]["livenessProbe"]


def test_a_spec_goes_before_the_operators_defaults_field_by_field() -> None:
    spec = with_defaults(
        livenessCheck="None",
        securityContext={"readOnlyRootFilesystem": False},
        podSecurityContext={"runAsUser": 1000},
    )
    assert spec["securityContext"]["runAsUser"] == 1000
    assert spec["securityContext"]["runAsNonRoot"] is True
    found = spec["containers"][0]
    assert found["securityContext"]["readOnlyRootFilesystem"] is False
    assert found["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "livenessProbe" not in found


def test_a_minimal_pod() -> None:
    assert build_pod("ml", "avs", "uid-1", AVS, "bcdfghjklm", 3, pod_spec(MINIMAL)) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "performer-ml-bcdfghjklm-3",
            "namespace": "avs",
            "labels": names.labels("ml", AVS, "bcdfghjklm"),
            "ownerReferences": [owner_reference("ml", "uid-1")],
        },
        "spec": {
            "containers": [
                {
                    "name": "performer",
                    "image": "myavs/performer:latest",
                    "ports": [{"name": "grpc", "containerPort": 9090, "protocol": "TCP"}],
                    "readinessProbe": {"tcpSocket": {"port": "grpc"}, "periodSeconds": 5},
                    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                    "securityContext": {"allowPrivilegeEscalation": False},
                }
            ],
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "terminationGracePeriodSeconds": 35,
        },
    }


@pytest.mark.parametrize(
    ("check", "probe"),
    [
        ("TCP", {"tcpSocket": {"port": "grpc"}, "periodSeconds": 5}),
        ("GRPC", {"grpc": {"port": 7000}, "periodSeconds": 5}),
        ("None", None),
    ],
)
def test_readiness_is_probed_as_the_health_check_says(
    check: str, probe: dict[str, Any] | None
) -> None:
    assert container(healthCheck=check, grpcPort=7000).get("readinessProbe") == probe


def test_variables_come_sorted_before_those_of_env_which_win() -> None:
    mine = {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    config = container(environment={"C": "3", "B": "2", "A": "1"}, env=[mine])
    assert config["env"] == [{"name": "A", "value": "1"}, {"name": "C", "value": "3"}, mine]


def test_single_variables_of_environment_from_reach_env_and_whole_sources_env_from() -> None:
    key = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "api"}}}
    later = {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "api"}}}
    level = {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "l"}}}
    whole = {"secretRef": {"name": "keys"}}
    mine = {"name": "LEVEL", "value": "debug"}
    found = container(
        environment={"A": "1", "KEY": "plain", "LEVEL": "info"},
        environmentFrom=[key, whole, level, later, {"name": "EMPTY"}],
        env=[mine],
    )
    assert found["env"] == [{"name": "A", "value": "1"}, later, {"name": "EMPTY"}, mine]
    assert found["envFrom"] == [whole]


def test_with_a_service_account_its_own_token_setting_holds() -> None:
    spec = pod_spec({**MINIMAL, "config": {"serviceAccountName": "performer"}})
    assert spec["serviceAccountName"] == "performer"
    assert "automountServiceAccountToken" not in spec


@pytest.mark.parametrize(
    ("hardware", "resources", "expected"),
    [
        pytest.param(
            {"gpuType": "nvidia-a100", "gpuCount": 2},
            {"limits": {"cpu": "1"}},
            {
                "limits": {"cpu": "1", "nvidia.com/gpu": "2"},
                "requests": {"nvidia.com/gpu": "2"},
            },
            id="added to requests and limits",
        ),
        pytest.param(
            {"gpuType": "nvidia-a100", "gpuCount": 2},
            {"limits": {"nvidia.com/gpu": 1}},
            {"limits": {"nvidia.com/gpu": 1}},
            id="left alone where resources name it",
        ),
        pytest.param({"teeType": "sgx"}, {}, None, id="none for a TEE"),
    ],
)
def test_devices_become_resources(
    hardware: dict[str, Any], resources: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    spec = {**MINIMAL, "hardwareRequirements": hardware, "resources": resources}
    assert pod_spec(spec)["containers"][0].get("resources") == expected


def test_a_gpu_taint_is_tolerated_only_when_the_spec_says_so() -> None:
    assert "tolerations" not in pod_spec({**MINIMAL, "hardwareRequirements": {"gpuCount": 1}})


WANTED = names.labels("ml", AVS, "bcdfghjklm")


@pytest.mark.parametrize(
    ("labels", "owner", "patch"),
    [
        pytest.param(WANTED, "uid-1", {}, id="nothing is lost"),
        pytest.param({**WANTED, "team": "x"}, "uid-1", {}, id="a foreign label is left alone"),
        pytest.param(
            {**WANTED, "app": "other"},
            "uid-1",
            {"labels": {"app": "performer"}},
            id="a changed label",
        ),
        pytest.param({}, "uid-1", {"labels": WANTED}, id="all labels"),
        pytest.param(
            WANTED,
            "",
            {"ownerReferences": [owner_reference("ml", UID)]},
            id="the owner",
        ),
    ],
)
def test_a_pod_gets_back_what_it_lost(
    labels: dict[str, str], owner: str, patch: dict[str, Any]
) -> None:
    assert pod_repair(labels, owner, WANTED, "ml", UID) == {"metadata": patch}
    drifts = pod_drifts(labels, owner, WANTED, "ml")
    assert {drift.path[1] for drift in drifts} == patch.keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_pod_needs_no_repair(name: str) -> None:
    meta = json.loads((GOLDENS / f"{name}.golden.json").read_text())["pod"]["metadata"]
    wanted = built(name)[0]["metadata"]
    observed = names.OwnLabels(meta["labels"])
    owner = meta["ownerReferences"][0]["uid"]
    assert pod_drifts(observed, owner, wanted["labels"], wanted["name"]) == ()
