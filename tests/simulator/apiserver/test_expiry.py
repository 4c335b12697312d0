"""Events are kept for an hour after they were written last, as by a real API server."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.recorder import NORMAL, EventRecorder

HOUR = 3600.0
POD: JSON = {"kind": "Pod", "apiVersion": "v1", "namespace": "default", "name": "ml", "uid": "u"}


class World:
    """An API server and a component that records Events about one pod."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.api = APIServer(self.clock)
        self._recorder = EventRecorder(self.clock, self.api, "kubelet", "node-1")

    def record(self, reason: str) -> None:
        self._recorder.event(POD, NORMAL, reason, "It happened.")

    def events(self) -> list[tuple[str, int]]:
        return [(found["reason"], found["count"]) for found in self.api.list("events").items]


@pytest.fixture
def world() -> World:
    return World()


def test_an_event_is_there_for_an_hour(world: World) -> None:
    world.record("Pulled")
    world.clock.run_until(HOUR - 1)
    assert world.events() == [("Pulled", 1)]
    world.clock.run_until(HOUR)
    assert world.events() == []


def test_each_ends_an_hour_after_its_own_last_write(world: World) -> None:
    world.record("Pulled")
    world.record("Started")
    world.clock.run_until(HOUR / 2)
    world.record("Pulled")
    world.clock.run_until(HOUR)
    assert world.events() == [("Pulled", 2)]
    world.clock.run_until(HOUR * 1.5)
    assert world.events() == []


def test_one_that_is_deleted_before_does_no_harm(world: World) -> None:
    world.record("Pulled")
    world.record("Started")
    (first, _) = world.api.list("events").items
    world.api.delete("events", "default", first["metadata"]["name"])
    world.clock.run_until(HOUR * 2)
    assert world.events() == []


def test_watches_see_the_end_also_those_that_start_later(world: World) -> None:
    seen: list[WatchEvent] = []
    world.record("Pulled")
    version = world.api.resource_version
    world.api.watch("events", sink=seen.append, resource_version=version)
    world.clock.run_until(HOUR)
    assert [event.type for event in seen] == ["DELETED"]
    assert int(seen[0].object["metadata"]["resourceVersion"]) == int(version) + 1
    replayed: list[WatchEvent] = []
    world.api.watch("events", sink=replayed.append, resource_version=version)
    assert replayed == seen


def test_an_event_that_comes_again_after_its_end_goes_on_counting(world: World) -> None:
    world.record("BackOff")
    (first,) = world.api.list("events").items
    world.clock.run_until(HOUR)
    world.record("BackOff")
    (again,) = world.api.list("events").items
    assert again["metadata"]["name"] == first["metadata"]["name"]
    assert again["metadata"]["uid"] != first["metadata"]["uid"]
    assert (again["firstTimestamp"], again["count"]) == (first["firstTimestamp"], 2)
    assert again["lastTimestamp"] > first["lastTimestamp"]


def test_other_objects_stay(world: World) -> None:
    world.api.create("configmaps", {"metadata": {"name": "kept"}}, namespace="default")
    world.clock.run_until(HOUR * 24)
    assert len(world.api.list("configmaps").items) == 1
