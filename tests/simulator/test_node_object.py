"""A Node as its kubelet registers it."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.node_object import node_object

NOW = "2026-01-01T00:00:00Z"
GPU = "nvidia.com/gpu"


def made(name: str = "node-1", number: int = 0, **more: Any) -> JSON:
    given: dict[str, Any] = {
        "cpu": "8",
        "memory": "32Gi",
        "pods": 110,
        "labels": {},
        "taints": (),
        "devices": {},
        "zone": None,
        "kubelet_version": "v1.34.4",
    }
    return node_object(name, number, NOW, **{**given, **more})


def test_it_offers_what_it_was_given() -> None:
    status = made(cpu="4", memory="8Gi", pods=30, devices={GPU: 2})["status"]
    assert status["allocatable"] == status["capacity"]
    offered = {name: status["capacity"][name] for name in ("cpu", "memory", "pods", GPU)}
    assert offered == {"cpu": "4", "memory": "8Gi", "pods": "30", GPU: "2"}


def test_without_devices_it_offers_none() -> None:
    assert GPU not in made()["status"]["capacity"]


ZONES = [
    ("of Amazon's kind", "eu-west-1a", "eu-west-1"),
    ("of Google's kind", "europe-west4-b", "europe-west4"),
    ("without a letter", "rack-7", "rack-7"),
]


@pytest.mark.parametrize(("zone", "region"), [z[1:] for z in ZONES], ids=[z[0] for z in ZONES])
def test_its_region_follows_from_a_zone(zone: str, region: str) -> None:
    labels = made(zone=zone)["metadata"]["labels"]
    assert labels["topology.kubernetes.io/zone"] == zone
    assert labels["topology.kubernetes.io/region"] == region


def test_without_a_zone_it_has_no_labels_of_one() -> None:
    assert not any("topology" in key for key in made()["metadata"]["labels"])


def test_given_labels_win_over_its_own() -> None:
    labels = made(labels={"kubernetes.io/arch": "arm64", "gpu": "a100"})["metadata"]["labels"]
    assert (labels["kubernetes.io/arch"], labels["gpu"]) == ("arm64", "a100")
    assert labels["kubernetes.io/hostname"] == "node-1"


def test_taints_stand_in_its_spec_and_none_leave_no_field() -> None:
    taint = {"key": GPU, "effect": "NoSchedule"}
    assert made(taints=[taint])["spec"] == {"taints": [taint]}
    assert made()["spec"] == {}


def test_a_thousand_nodes_have_as_many_addresses() -> None:
    addresses = [made(number=number)["status"]["addresses"][0]["address"] for number in range(1000)]
    assert len(set(addresses)) == 1000
    assert {part for address in addresses for part in address.split(".")[3:]}.isdisjoint(
        {"0", "255"}
    )


def test_the_same_name_gives_the_same_machine() -> None:
    info = made()["status"]["nodeInfo"]
    assert made()["status"]["nodeInfo"] == info
    assert made("node-2")["status"]["nodeInfo"]["machineID"] != info["machineID"]


def test_it_is_ready() -> None:
    ready = {c["type"]: c["status"] for c in made()["status"]["conditions"]}["Ready"]
    assert ready == "True"
