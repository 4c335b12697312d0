"""Writes and terms in the audit log."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from operators import calls, stray, terms

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(second: float, user: str, resource: str, verb: str = "patch", code: int = 200) -> Any:
    at, answered = (START.timestamp() + second + late for late in (0, 0.01))
    return {
        "user": {"username": user},
        "verb": verb,
        "stage": "ResponseComplete",
        "objectRef": {"resource": resource, "name": "x"},
        "responseStatus": {"code": code},
        "requestReceivedTimestamp": datetime.fromtimestamp(at, UTC).isoformat(),
        "stageTimestamp": datetime.fromtimestamp(answered, UTC).isoformat(),
    }


A_LEADS = event(1, "a", "leases", "create", 201)
B_TAKES_OVER = event(10, "b", "leases", "update")

LOGS = {
    "who leads may write": ([A_LEADS, event(2, "a", "pods")], 0),
    "after a takeover the other one writes": ([A_LEADS, B_TAKES_OVER, event(11, "b", "pods")], 0),
    "who led before may not write": ([A_LEADS, B_TAKES_OVER, event(11, "a", "pods")], 1),
    "who does not lead yet may not write": ([A_LEADS, event(9, "b", "pods"), B_TAKES_OVER], 1),
    "nobody writes before the first term": ([event(0.5, "a", "pods"), A_LEADS], 1),
    "a write under way at the takeover is outside": (
        [A_LEADS, event(9.995, "a", "pods"), B_TAKES_OVER],
        1,
    ),
    "a Lease that was refused gives no term": (
        [A_LEADS, event(5, "b", "leases", "update", 409), event(6, "a", "pods")],
        0,
    ),
    "a question about permissions is no write": (
        [event(0.5, "b", "selfsubjectaccessreviews", "create", 201), A_LEADS],
        0,
    ),
    "others are not looked at": ([A_LEADS, event(2, "admin", "pods")], 0),
}


@pytest.mark.parametrize(("log", "outside"), LOGS.values(), ids=LOGS)
def test_writes_outside_of_a_term(log: list[Any], outside: int, tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    file.write_text("".join(json.dumps(each) + "\n" for each in log))

    found = calls(file, {"a", "b"}, START)

    assert len(stray(found, terms(found))) == outside
