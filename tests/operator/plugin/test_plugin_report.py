"""What a report has in it, and what it says that it lacks."""

import asyncio
import json

import pytest

from hourglass_kube.types import JSON
from hourglass_operator.plugin.report import OPERATOR, Report, report
from hourglass_operator.plugin.snapshot import RESOURCES
from hourglass_operator.transport.calls import Answer, Request
from scripted_api import Script, done, refused

POD = {
    "metadata": {"name": "operator-1", "namespace": "hourglass-system"},
    "spec": {"containers": [{"name": "operator", "image": "operator:1"}]},
}
EVENTS = [
    {"metadata": {"name": "a"}, "involvedObject": {"kind": "Performer", "name": "ml"}},
    {"metadata": {"name": "b"}, "involvedObject": {"kind": "Certificate", "name": "x"}},
]


def gathered(
    *, log: Answer, pods: list[JSON] | None = None, events: Answer | None = None
) -> Report:
    operators = [POD] if pods is None else pods

    def answer(call: Request) -> Answer:
        if call.resource == "version":
            return done(gitVersion="v1.34.4")
        if call.subresource == "log":
            return log
        if call.query.get("labelSelector") == OPERATOR:
            return done(items=operators)
        if call.resource == "events":
            return events or done(apiVersion="v1", kind="EventList", items=EVENTS)
        return done(apiVersion="v1", kind="AnyList", items=[])

    calls = len(RESOURCES) + 3 + len(operators)
    return asyncio.run(report(Script(*[answer] * calls), "0.1.0"))


LINES = done(message="one\ntwo")


def test_objects_events_versions_and_the_log_are_in_it() -> None:
    found = gathered(log=LINES)
    assert found.missing == []
    assert set(found.files) == {
        *("cluster.json", "events.json", "versions.json"),
        "log-hourglass-system-operator-1.txt",
    }
    assert found.files["log-hourglass-system-operator-1.txt"] == "one\ntwo\n"
    assert json.loads(found.files["versions.json"]) == {
        "program": "0.1.0",
        "kubernetes": "v1.34.4",
        "operatorImages": ["operator:1"],
    }


def test_only_events_about_what_is_in_it_are() -> None:
    names = [e["metadata"]["name"] for e in json.loads(gathered(log=LINES).files["events.json"])]
    assert names == ["a"]


def test_a_log_of_one_line_of_json_is_a_line() -> None:
    found = gathered(log=done(level="info", message="ready"))
    line = found.files["log-hourglass-system-operator-1.txt"]
    assert json.loads(line) == {"level": "info", "message": "ready"}


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (gathered(log=refused(403, "Forbidden", "no")), "the log of pod hourglass-system/"),
        (gathered(log=LINES, pods=[]), "the operator's log: there is no pod with the label "),
        (gathered(log=LINES, events=refused(403)), "events: you may not list them"),
    ],
    ids=["a log that may not be read", "an operator that is not there", "events of others"],
)
def test_what_it_lacks_is_said(found: Report, missing: str) -> None:
    (text,) = found.missing
    assert text.startswith(missing)
