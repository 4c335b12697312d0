"""What informers see reaches the controller, is counted, and harms no other object."""

import logging

import pytest

from builders import CATALOGUE, NAMESPACE, performer
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.runtime.informers.store import Store, name_of

ML = performer("ml")


class World:
    """A controller behind a store."""

    def __init__(self) -> None:
        self.controller = Controller(CATALOGUE, Settings())
        self.changes = 0
        self.store = Store(self.controller.event_handler, lambda: 5.0, self._changed)

    def _changed(self) -> None:
        self.changes += 1


def test_an_object_makes_its_performer_due_and_wakes_the_workers() -> None:
    world = World()
    world.store.put("performers", "ADDED", ML.build())
    assert world.controller.queue.next_due() == 5.0
    assert (world.store.received, world.changes) == ({"performers": 1}, 1)


def test_the_end_of_a_list_drops_what_is_not_on_it() -> None:
    world = World()
    world.store.put_listed("performers", ML.build(), str(10**8))
    world.store.replace("performers", "", set(), str(10**8))
    assert world.controller.cache.performers == {}
    assert world.changes == 2


def test_the_list_of_one_namespace_says_nothing_of_others() -> None:
    world = World()
    world.store.put_listed("performers", ML.build(), str(10**8))
    world.store.replace("performers", "elsewhere", set(), str(10**8))
    assert list(world.controller.cache.performers) == [(NAMESPACE, "ml")]


def test_an_object_that_cannot_be_read_is_logged_by_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    broken = ML.build()
    del broken["metadata"]["uid"]
    with caplog.at_level(logging.ERROR):
        world.store.put("performers", "ADDED", broken)
    assert f"cannot read performers {NAMESPACE}/ml" in caplog.text
    assert world.controller.cache.performers == {}
    world.store.put("performers", "MODIFIED", ML.build())
    assert list(world.controller.cache.performers) == [(NAMESPACE, "ml")]


def test_cluster_wide_objects_have_an_empty_namespace() -> None:
    assert name_of({"metadata": {"name": "node-1"}}) == ("", "node-1")
