"""The conditions that a kubelet reports of its node."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator import node_conditions

BEFORE, NOW = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


def condition(kind: str, status: str) -> JSON:
    return {
        "type": kind,
        "status": status,
        "lastHeartbeatTime": BEFORE,
        "lastTransitionTime": BEFORE,
    }


def test_a_node_that_is_well_is_ready_and_under_no_pressure() -> None:
    found = {c["type"]: c["status"] for c in node_conditions.all_good(NOW)}
    assert found == {**dict.fromkeys(PRESSURES, "False"), "Ready": "True"}
    assert {c["lastTransitionTime"] for c in node_conditions.all_good(NOW)} == {NOW}


CHANGES = [
    ("its time moves when the status changes", "True", NOW),
    ("its time stays while the status does", "False", BEFORE),
    ("its time moves from unknown", "Unknown", NOW),
]


@pytest.mark.parametrize("kind", PRESSURES)
@pytest.mark.parametrize(
    ("before", "changed"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_a_pressure_that_is_over(kind: str, before: str, changed: str) -> None:
    found = node_conditions.good(condition(kind, before), NOW)
    assert (found["status"], found["lastTransitionTime"]) == ("False", changed)
    assert found["lastHeartbeatTime"] == NOW


@pytest.mark.parametrize("kind", PRESSURES)
def test_a_pressure(kind: str) -> None:
    found = node_conditions.bad(condition(kind, "False"), NOW)
    assert (found["status"], found["lastTransitionTime"]) == ("True", NOW)
    assert node_conditions.bad(found, "later")["lastTransitionTime"] == NOW


def test_a_node_that_reports_again_is_ready() -> None:
    found = node_conditions.good(condition("Ready", "Unknown"), NOW)
    assert (found["status"], found["reason"]) == ("True", "KubeletReady")


def test_conditions_of_others_are_left_alone() -> None:
    theirs = condition("NetworkUnavailable", "True")
    assert node_conditions.good(theirs, NOW) is theirs
