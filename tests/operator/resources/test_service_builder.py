import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from goldens.record_resources import NAMES, UID, built, performer
from hourglass_operator.api import PerformerSpec
from hourglass_operator.resources import names
from hourglass_operator.resources.owner import owner_reference, owner_uid
from hourglass_operator.resources.service import (
    build_service,
    service_drifts,
    service_repair,
    view,
)

GOLDENS = Path(__file__).parents[2] / "goldens/resources"
SPEC = PerformerSpec.model_validate(performer("minimal")["spec"])
WANTED = build_service("ml", "avs", UID, SPEC)


def test_a_minimal_service() -> None:
    assert build_service("ml", "avs", UID, SPEC) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "performer-ml",
            "namespace": "avs",
            "labels": names.labels("ml", SPEC.avs_address),
            "ownerReferences": [owner_reference("ml", UID)],
        },
        "spec": {
            "type": "ClusterIP",
            "selector": {"app": "performer", "performer-name": "ml"},
            "ports": [
                {
                    "name": "grpc",
                    "port": 9090,
                    "targetPort": "grpc",
                    "protocol": "TCP",
                    "appProtocol": "kubernetes.io/h2c",
                }
            ],
        },
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_service_has_not_drifted(name: str) -> None:
    stored = json.loads((GOLDENS / f"{name}.golden.json").read_text())["service"]
    assert service_drifts(view(stored), built(name)[1]) == ()


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = deepcopy(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


PORT = WANTED["spec"]["ports"][0]
DAMAGES = [
    pytest.param({"metadata": {"labels": {"app": None}}}, "metadata.labels[app]", id="a label"),
    pytest.param({"metadata": {"labels": None}}, "metadata.labels[app]", id="all labels"),
    pytest.param(
        {"metadata": {"ownerReferences": None}}, "metadata.ownerReferences", id="the owner"
    ),
    pytest.param({"spec": {"type": "NodePort"}}, "spec.type", id="another type"),
    pytest.param(
        {"spec": {"type": "ExternalName", "externalName": "example.com"}},
        "spec.type",
        id="a name elsewhere",
    ),
    pytest.param({"spec": {"selector": None}}, "spec.selector[app]", id="no selector"),
    pytest.param(
        {"spec": {"selector": {"also": "x"}}}, "spec.selector[also]", id="a longer selector"
    ),
    *(
        pytest.param({"spec": {"ports": [{**PORT, key: value}]}}, f"spec.ports[0].{key}", id=key)
        for key, value in (("port", 1), ("targetPort", 1), ("name", "x"), ("protocol", "UDP"))
    ),
    pytest.param(
        {"spec": {"ports": [{k: v for k, v in PORT.items() if k != "appProtocol"}]}},
        "spec.ports[0].appProtocol",
        id="no application protocol",
    ),
    pytest.param(
        {"spec": {"ports": [PORT, {"name": "more", "port": 2}]}}, "spec.ports", id="a second port"
    ),
]


@pytest.mark.parametrize(("damage", "field"), DAMAGES)
def test_drift_is_named_and_repaired_by_one_patch(damage: dict[str, Any], field: str) -> None:
    service = merged(WANTED, damage)
    drifts = service_drifts(view(service), WANTED)
    assert drifts[0].field == field
    assert all(drift.persists_in(service) for drift in drifts)
    assert not any(drift.persists_in(WANTED) for drift in drifts)
    assert merged(service, service_repair(view(service), WANTED)) == WANTED


@pytest.mark.parametrize(
    "addition",
    [
        pytest.param({"metadata": {"labels": {"team": "x"}}}, id="a foreign label"),
        pytest.param({"metadata": {"annotations": {"a": "b"}}}, id="an annotation"),
        pytest.param({"metadata": {"finalizers": ["a/b"]}}, id="a finalizer"),
        pytest.param({"spec": {"clusterIP": "10.0.0.1"}}, id="its address"),
        pytest.param({"spec": {"sessionAffinity": "ClientIP"}}, id="a setting of another's"),
    ],
)
def test_what_others_add_is_left_alone(addition: dict[str, Any]) -> None:
    assert service_drifts(view(merged(WANTED, addition)), WANTED) == ()


def test_a_change_of_the_port_is_repaired_in_place() -> None:
    config = SPEC.config.model_copy(update={"grpc_port": 8080})
    moved = build_service("ml", "avs", UID, SPEC.model_copy(update={"config": config}))
    assert [drift.field for drift in service_drifts(view(WANTED), moved)] == ["spec.ports[0].port"]
    assert merged(WANTED, service_repair(view(WANTED), moved)) == moved


def test_the_owner_is_the_one_that_controls_or_else_another() -> None:
    other = {"uid": "other", "controller": False}
    owners = [other, {"uid": "mine", "controller": True}]
    assert owner_uid({"ownerReferences": owners}) == "mine"
    assert owner_uid({"ownerReferences": [other]}) == "other"
    assert owner_uid({}) == ""
