"""The OpenAPI documents are those of a real API server, with definitions and without."""

from typing import Any

import pytest
from simulated_wire import SimulatedWire

from goldens import newer, record_openapi
from goldens.record_openapi import GOLDEN, documents
from hourglass_simulator.kubernetes.version import version

Recorded = dict[str, Any]
Answered = tuple[Recorded, Recorded]


@pytest.fixture(scope="module", params=newer.recorded(GOLDEN))
def both(request: pytest.FixtureRequest) -> Answered:
    """What the simulated server answers, and what the real one did."""
    server = SimulatedWire(version(request.param))
    found: Recorded = {"digests": {"built-in": record_openapi.digest(server)}}
    for definition in record_openapi.definitions():
        server.api.create("customresourcedefinitions", definition)
    found["digests"]["with definitions"] = record_openapi.digest(server)
    found["documents"] = documents(server)
    return found, newer.whole(GOLDEN, request.param)


def test_v2_has_the_paths_of_definitions(both: Answered) -> None:
    ours, theirs = (each["documents"]["v2"]["paths"] for each in both)
    assert ours == theirs


def test_v2_has_the_kinds_of_definitions(both: Answered) -> None:
    ours, theirs = (each["documents"]["v2"]["definitions"] for each in both)
    assert ours == theirs


def test_v3_has_the_documents_of_definitions(both: Answered) -> None:
    ours, theirs = (dict(each["documents"]) for each in both)
    assert ours.keys() == theirs.keys()
    for path in theirs.keys() - {"v2"}:
        assert ours[path] == theirs[path]


def test_v2_in_protobuf_is_the_real_one_byte_for_byte(both: Answered) -> None:
    ours, theirs = (each["digests"] for each in both)
    assert ours == theirs


V2, V3 = "/openapi/v2", "/openapi/v3/apis/apps/v1"


@pytest.mark.parametrize(
    ("path", "accept", "code", "sent"),
    [
        (V2, "", 200, "application/json"),
        (V2, "application/*", 200, "application/json"),
        (V2, "text/plain, application/json;q=0.3", 200, "application/json"),
        (V2, record_openapi.PROTOBUF, 200, record_openapi.PROTOBUF.replace("@", ".")),
        (V2, "text/plain", 406, ""),
        (V3, "*/*", 200, "application/json"),
        (V3, "text/plain", 406, ""),
        (V3, record_openapi.PROTOBUF.replace("v2", "v3"), 501, "application/json"),
    ],
)
def test_the_format_is_the_one_that_is_accepted(
    path: str, accept: str, code: int, sent: str
) -> None:
    headers = {"Accept": accept} if accept else {}
    reply = SimulatedWire().fetch("GET", path, None, headers)
    assert (reply.code, reply.headers.get("content-type", [""])) == (code, [sent])
