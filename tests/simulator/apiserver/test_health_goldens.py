"""What is said of the server's health, and which flow a request belongs to, as on a real server."""

import json
from typing import Any

import pytest
from simulated_wire import SimulatedWire

from goldens import newer, record_health
from goldens.record_health import GOLDEN
from hourglass_simulator.kubernetes.version import version

Answered = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module", params=newer.recorded(GOLDEN))
def both(request: pytest.FixtureRequest) -> Answered:
    """What the simulated server answers, and what the real one did."""
    server = SimulatedWire(version(request.param))
    server.api.make_flow_control()
    return record_health.answers(server), newer.whole(GOLDEN, request.param)


@pytest.mark.parametrize("asked", json.loads(GOLDEN.read_text()))
def test_as_on_a_real_server(both: Answered, asked: str) -> None:
    ours, theirs = both
    assert ours[asked] == theirs[asked]


def test_a_flow_schema_that_is_made_is_asked_at_once() -> None:
    server = SimulatedWire()
    server.api.make_flow_control()
    rule = {
        "subjects": [{"kind": "User", "user": {"name": "ann"}}],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/version"]}],
    }
    made = {
        "metadata": {"name": "mine"},
        "spec": {
            "matchingPrecedence": 2,
            "priorityLevelConfiguration": {"name": "exempt"},
            "rules": [rule],
        },
    }
    headers = {"Impersonate-User": "ann"}
    before = server.fetch("GET", "/version", None, headers)
    uid = server.api.create("flowschemas", made)["metadata"]["uid"]
    after = server.fetch("GET", "/version", None, headers)
    name = "x-kubernetes-pf-flowschema-uid"
    assert before.headers[name] != after.headers[name] == [uid]
