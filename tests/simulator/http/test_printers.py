"""Tests of `printers` and `autoscaler_columns`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.http.autoscaler_columns import targets
from hourglass_simulator.http.printers import CELLS, COMMON
from hourglass_simulator.kubernetes.version import VERSIONS, version

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("kubernetes", VERSIONS)
def test_every_recorded_column_of_a_built_in_kind_is_computed(kubernetes: str) -> None:
    missing = []
    for path, columns in version(kubernetes).discovery["columns"].items():
        group, resource = path.split("/")[2], path.split("/")[-1]
        qualified = resource if path.startswith("/api/") else f"{resource}.{group}"
        known = {**COMMON, **CELLS.get(qualified, {})}
        missing += [f"{path} {each['name']}" for each in columns if each["name"] not in known]
    assert missing == []


def metric(kind: str, field: str, **source: Any) -> JSON:
    return {"type": kind, field: source}


CPU = metric("Resource", "resource", name="cpu", target={"averageUtilization": 60})
MEMORY = metric("Resource", "resource", name="memory", target={"averageValue": "1Gi"})
QUEUE = metric("External", "external", target={"value": "10"})
SPREAD = metric("External", "external", target={"averageValue": "5"})
PODS = metric("Pods", "pods", target={"averageValue": "7"})


@pytest.mark.parametrize(
    ("wanted", "measured", "shown"),
    [
        ([], [], "<none>"),
        ([CPU], [], "cpu: <unknown>/60%"),
        ([CPU], [metric("Resource", "resource", current={"averageUtilization": 5})], "cpu: 5%/60%"),
        ([MEMORY], [], "memory: <unknown>/1Gi"),
        ([QUEUE, SPREAD], [], "<unknown>/10, <unknown>/5 (avg)"),
        ([PODS], [metric("Pods", "pods", current={"averageValue": "3"})], "3/7"),
        ([CPU, MEMORY, PODS], [], "cpu: <unknown>/60%, memory: <unknown>/1Gi + 1 more..."),
        ([{"type": "New"}], [], "<unknown type>"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_targets_of_an_autoscaler(wanted: list[JSON], measured: list[JSON], shown: str) -> None:
    obj = {"spec": {"metrics": wanted}, "status": {"currentMetrics": measured}}
    assert targets(obj, NOW) == shown


def request(*kinds: str, certificate: str = "") -> JSON:
    conditions = [{"type": kind, "status": "True"} for kind in kinds]
    return {"spec": {}, "status": {"conditions": conditions, "certificate": certificate}}


@pytest.mark.parametrize(
    ("resource", "column", "obj", "shown"),
    [
        ("certificatesigningrequests.certificates.k8s.io", "Condition", request(), "Pending"),
        (
            "certificatesigningrequests.certificates.k8s.io",
            "Condition",
            request("Approved", "Failed", certificate="x"),
            "Approved,Failed,Issued",
        ),
        (
            "certificatesigningrequests.certificates.k8s.io",
            "RequestedDuration",
            {"spec": {"expirationSeconds": 600}},
            "10m",
        ),
        (
            "ingressclasses.networking.k8s.io",
            "Parameters",
            {"spec": {"parameters": {"apiGroup": "a.example", "kind": "K", "name": "n"}}},
            "K.a.example/n",
        ),
        ("ingressclasses.networking.k8s.io", "Parameters", {"spec": {}}, "<none>"),
        (
            "ipaddresses.networking.k8s.io",
            "ParentRef",
            {"spec": {"parentRef": {"resource": "services", "namespace": "a", "name": "b"}}},
            "services/a/b",
        ),
        (
            "customresourcedefinitions.apiextensions.k8s.io",
            "Versions",
            {
                "spec": {
                    "versions": [
                        {"name": "v2", "served": True, "storage": False},
                        {"name": "v1", "served": True, "storage": True},
                        {"name": "v0", "served": False, "storage": False},
                    ]
                }
            },
            "v1(storage),v2",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_cells(resource: str, column: str, obj: JSON, shown: str) -> None:
    assert CELLS[resource][column](obj, NOW) == shown
