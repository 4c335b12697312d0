"""When names are asked for, and when everything is known."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from hourglass_operator.runtime.rollcall import RollCall, call_roll
from hourglass_operator.runtime.watch import SELECTORS

from hourglass_operator.controller.cache import Name
from hourglass_operator.transport.api import Answer
from scripted_api import Script

POD = ("avs", "performer-ml")


def begun() -> RollCall:
    roll = RollCall(period=300.0)
    roll.begin(0.0)
    return roll


def called(roll: RollCall, now: float = 1.0) -> RollCall:
    for resource in SELECTORS:
        roll.called(resource, (), now)
    return roll


def test_at_first_all_are_asked_for() -> None:
    assert begun().due(0.0) == list(SELECTORS)
    assert not begun().complete


def test_complete_when_all_have_answered_and_nothing_is_missing() -> None:
    assert called(begun()).complete


def test_not_complete_while_one_has_not_answered() -> None:
    roll = begun()
    for resource in list(SELECTORS)[1:]:
        roll.called(resource, (), 1.0)
    assert not roll.complete


def test_an_object_that_is_missing_is_waited_for() -> None:
    roll = begun()
    for resource in SELECTORS:
        roll.called(resource, [POD] if resource == "pods" else [], 1.0)
    assert not roll.complete
    assert roll.due(2.0) == ["pods"]
    roll.told("pods", POD, 1.5, by_list=False)
    assert roll.complete


def test_an_object_that_went_before_it_was_told_is_not_waited_for() -> None:
    roll = called(begun())
    roll.begin(10.0)
    called(roll, 11.0).called("pods", [POD], 11.0)
    roll.called("pods", [], 12.0)
    assert roll.complete


def test_once_complete_a_late_event_stops_nothing() -> None:
    roll = called(begun())
    roll.called("pods", [POD], 5.0)
    assert roll.complete


def test_afterwards_all_are_asked_for_once_in_a_period() -> None:
    roll = called(begun())
    assert roll.due(300.9) == []
    assert roll.due(301.0) == list(SELECTORS)


def test_after_a_list_its_resource_is_asked_for_again() -> None:
    roll = called(begun())
    roll.told("pods", POD, 50.0, by_list=True)
    roll.told("pods", POD, 50.5, by_list=True)
    assert roll.due(51.4) == []
    assert roll.due(51.5) == ["pods"]


def test_a_watch_event_asks_for_nothing() -> None:
    roll = called(begun())
    roll.told("pods", POD, 50.0, by_list=False)
    assert roll.due(299.0) == []


def test_after_a_failure_it_is_asked_for_again() -> None:
    roll = called(begun())
    roll.failed("nodes", 10.0)
    assert roll.due(11.0) == ["nodes"]


def test_how_long_the_watches_have_owed_an_object() -> None:
    roll = begun()
    assert roll.waiting(7.0) == 7.0
    called(roll)
    assert roll.waiting(7.0) == 0.0
    roll.called("pods", [POD], 10.0)
    roll.called("pods", [POD], 20.0)
    assert roll.waiting(30.0) == 20.0


def test_watches_that_tell_what_they_owed_owe_less() -> None:
    roll = begun()
    roll.called("pods", [POD, ("avs", "other")], 1.0)
    roll.told("pods", POD, 50.0, by_list=True)
    assert roll.waiting(70.0) == 20.0
    # What was not asked for pays no debt.
    roll.told("pods", ("avs", "third"), 60.0, by_list=False)
    roll.told("nodes", ("", "node-1"), 60.0, by_list=False)
    assert roll.waiting(70.0) == 20.0


def page(version: int, *names: tuple[str, str, int], more: str = "") -> Answer:
    items = [
        {"metadata": {"namespace": ns, "name": name, "resourceVersion": str(v)}}
        for ns, name, v in names
    ]
    metadata = {"resourceVersion": str(version), "continue": more}
    return Answer(200, {"metadata": metadata, "items": items})


class Known:
    """Knows nothing, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, list[Name], str]] = []

    def remain(self, resource: str, names: Collection[Name], version: str) -> None:
        self.told.append((resource, sorted(names), version))

    def missing(self, resource: str, versions: Mapping[Name, int]) -> Collection[Name]:
        return sorted(name for name, version in versions.items() if version > 5)


def call(script: Script, resource: str, *namespaces: str) -> tuple[Any, Known]:
    known = Known()
    return asyncio.run(call_roll(script, resource, namespaces, known)), known


def test_all_pages_are_one_list() -> None:
    script = Script(page(9, ("a", "x", 5), more="next"), page(9, ("b", "y", 6)))
    found, known = call(script, "pods")
    assert found == [("b", "y")]
    assert known.told == [("pods", [("a", "x"), ("b", "y")], "9")]
    assert [made.query.get("continue") for made in script.calls] == [None, "next"]
    assert {made.query["labelSelector"] for made in script.calls} == {"app=performer"}


def test_of_several_namespaces_the_oldest_list_counts() -> None:
    script = Script(page(9, ("a", "x", 5)), page(8, ("b", "y", 5)))
    _, known = call(script, "pods", "b", "a")
    assert known.told == [("pods", [("a", "x"), ("b", "y")], "8")]
    assert [made.namespace for made in script.calls] == ["a", "b"]


def test_nodes_have_no_namespace() -> None:
    _, known = call(Script(page(9, ("", "x", 5))), "nodes", "a", "b")
    assert known.told == [("nodes", [("", "x")], "9")]


@pytest.mark.parametrize("code", [0, 403, 410, 500])
def test_a_list_that_breaks_off_tells_nothing(code: int) -> None:
    broken = Answer(code, {})
    found, known = call(Script(page(9, ("a", "x", 5), more="next"), broken), "pods")
    assert found == broken
    assert known.told == []
