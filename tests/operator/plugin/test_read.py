"""What the plugin reads, and what it may not."""

import asyncio
from typing import Any

import pytest

from hourglass_operator.plugin.read import ReadError, objects
from hourglass_operator.plugin.view import Objects
from hourglass_operator.transport.calls import Answer, Request
from scripted_api import Script, done, refused

EVENTS = [
    {"involvedObject": {"kind": "Pod", "name": "performer-ml-abc-0"}, "lastTimestamp": "2"},
    {"involvedObject": {"kind": "Performer", "name": "ml"}, "eventTime": "1"},
    {"involvedObject": {"kind": "Performer", "name": "other"}, "lastTimestamp": "1"},
    {"involvedObject": {"kind": "Pod", "name": "performer-other-abc-0"}, "lastTimestamp": "1"},
    {"involvedObject": {"kind": "Node", "name": "ml"}, "lastTimestamp": "1"},
]


def read(refusals: dict[str, Answer] | None = None) -> tuple[Objects, Script]:
    def answer(call: Request) -> Answer:
        items: list[Any] = EVENTS if call.resource == "events" else [{"of": call.resource}]
        return (refusals or {}).get(call.resource, done(items=items))

    script = Script(*[answer] * 9)
    return asyncio.run(objects(script, "avs", events_of="ml")), script


def test_nodes_are_read_of_the_cluster_and_the_rest_of_the_namespace() -> None:
    found, script = read()
    places = {call.resource: call.namespace for call in script.calls}
    assert places == {**dict.fromkeys(places, "avs"), "nodes": "", "resourceslices": ""}
    assert found.listed["pods"] == [{"of": "pods"}]


def test_only_events_about_it_and_its_pods_count_oldest_first() -> None:
    found, _ = read()
    assert [event["involvedObject"]["name"] for event in found.events] == [
        "ml",
        "performer-ml-abc-0",
    ]


def test_what_may_not_be_read_is_hidden() -> None:
    found, _ = read({"nodes": refused(403)})
    assert found.hidden == {"nodes"}
    assert found.listed["nodes"] == []


def test_what_the_cluster_does_not_serve_is_not_there() -> None:
    found, _ = read(dict.fromkeys(("resourceslices", "resourceclaimtemplates"), refused(404)))
    assert found.absent == {"resourceslices", "resourceclaimtemplates"}
    assert not found.hidden


@pytest.mark.parametrize(
    "refusals",
    [{"performers": refused(403, "Forbidden", "no")}, {"pods": refused(0, "", "no")}],
    ids=["Performers that may not be read", "no answer"],
)
def test_without_the_rest_there_is_nothing_to_show(refusals: dict[str, Answer]) -> None:
    with pytest.raises(ReadError, match=r"cannot list (performers|pods): no"):
        read(refusals)
