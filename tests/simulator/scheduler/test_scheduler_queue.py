"""When the scheduler tries again, and what it writes meanwhile."""

from typing import Any

import pytest

from hourglass_kube.backoff import backoff
from hourglass_simulator.apiserver import APIError, APIServer, Audit, Call
from hourglass_simulator.clock import Clock
from hourglass_simulator.scheduler import Scheduler
from hourglass_simulator.scheduler.queue import BACKOFF_BASE, BACKOFF_LIMIT, FLUSH


class World:
    """An API server with a scheduler, whose writes are kept with their times."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.api = APIServer(self.clock)
        self.writes: list[tuple[float, str, str]] = []
        self.api.auditors.append(self._note)
        Scheduler(self.clock, self.api)

    def _note(self, audit: Audit) -> None:
        call = audit.call
        if call.user == "default-scheduler":
            self.writes.append((round(audit.time, 2), call.verb, call.subresource or call.resource))

    def node(self, name: str, cpu: str = "4") -> None:
        amounts = {"cpu": cpu, "memory": "8Gi", "pods": "10"}
        status = {"allocatable": amounts, "capacity": amounts}
        self.api.create("nodes", {"metadata": {"name": name}, "status": status})

    def pod(self, name: str, cpu: str = "1", **spec: Any) -> None:
        container = {"name": "c", "image": "i:1", "resources": {"requests": {"cpu": cpu}}}
        body = {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}
        self.api.create("pods", body, namespace="default")

    def run(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now + seconds)

    def node_of(self, name: str) -> str | None:
        found: str | None = self.api.get("pods", "default", name)["spec"].get("nodeName")
        return found


class Refusing:
    """Refuses the first calls of a kind."""

    def __init__(self, subresource: str, times: int) -> None:
        self.subresource = subresource
        self.left = times

    def before(self, call: Call) -> None:
        if call.subresource == self.subresource and self.left:
            self.left -= 1
            raise APIError(500, "InternalError", "no", None)

    def after(self, call: Call) -> None:
        pass


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (99, 10)]
)
def test_the_back_off_doubles_up_to_ten_seconds(failures: int, seconds: float) -> None:
    assert backoff(BACKOFF_BASE, BACKOFF_LIMIT, failures - 1) == seconds


def test_a_binding_that_fails_is_tried_again_after_one_and_two_seconds() -> None:
    world = World()
    world.api.interceptors.append(Refusing("binding", 2))
    world.node("a")
    world.pod("p")
    world.run(20)
    bindings = [when for when, _, resource in world.writes if resource == "binding"]
    assert bindings == [0.01, 1.02, 3.03]
    assert world.node_of("p") == "a"


def test_a_pod_that_fits_nowhere_costs_an_event_every_five_minutes_at_most() -> None:
    world = World()
    world.node("a")
    world.pod("p", cpu="5")
    world.run(6 * FLUSH)
    assert world.writes == [
        (0.01, "create", "events"),
        (0.01, "update", "status"),
        # The first repetition is about the version of the pod with the verdict in its status.
        (300.02, "create", "events"),
        (600.03, "patch", "events"),
    ]


def test_a_change_that_cannot_help_is_no_reason_to_try_again() -> None:
    world = World()
    world.node("a")
    world.pod("p", nodeSelector={"gpu": "yes"})
    world.run(1)
    before = list(world.writes)
    world.node("b")
    world.api.patch("nodes", "", "a", {"spec": {"unschedulable": True}})
    world.pod("other")
    world.api.delete("pods", "default", "other", grace_period_seconds=0)
    world.run(100)
    assert [w for w in world.writes if w not in before] == []


def test_a_node_that_gains_nothing_is_no_reason_to_try_again() -> None:
    world = World()
    world.node("a")
    world.pod("p", cpu="3")
    world.pod("q", cpu="3")
    world.run(1)
    world.writes.clear()
    less = {"allocatable": {"memory": "7Gi"}}
    world.api.patch("nodes", "", "a", {"status": less}, subresource="status")
    world.run(100)
    assert world.writes == []


def test_a_nomination_holds_though_it_could_not_be_written() -> None:
    world = World()
    world.api.create("priorityclasses", {"metadata": {"name": "high"}, "value": 10})
    world.node("a")
    world.pod("p", cpu="3")
    world.run(1)
    world.api.interceptors.append(Refusing("status", 1))
    world.pod("q", cpu="3", priorityClassName="high")
    world.pod("r", cpu="1")
    world.run(1)
    assert world.node_of("r") is None


def test_the_more_important_pod_of_two_goes_first() -> None:
    world = World()
    world.api.create("priorityclasses", {"metadata": {"name": "high"}, "value": 10})
    world.pod("first", cpu="3")
    world.pod("second", cpu="3", priorityClassName="high")
    world.node("a")
    world.run(20)
    assert (world.node_of("first"), world.node_of("second")) == (None, "a")


def test_a_pod_that_was_rejected_again_goes_behind_those_that_have_waited_since() -> None:
    world = World()
    world.node("full", cpu="1")
    world.pod("tried-again", cpu="3")
    world.run(FLUSH / 2)
    world.pod("waiting", cpu="3")
    world.run(FLUSH / 2 + 1)
    world.node("free", cpu="4")
    world.run(1)
    assert world.node_of("waiting") == "free"
    assert world.node_of("tried-again") is None


def test_a_pod_that_is_deleted_while_it_waits_is_forgotten() -> None:
    world = World()
    world.pod("p")
    world.run(1)
    world.api.delete("pods", "default", "p", grace_period_seconds=0)
    world.writes.clear()
    world.run(1000)
    assert world.writes == []


def test_a_pod_for_another_scheduler_is_left_alone() -> None:
    world = World()
    world.node("a")
    world.pod("p", schedulerName="other")
    world.run(1000)
    assert world.writes == []


def test_a_node_that_comes_back_still_has_its_pods() -> None:
    world = World()
    world.node("a")
    world.pod("p", cpu="3")
    world.run(1)
    world.api.delete("nodes", "", "a")
    world.node("a")
    world.pod("q", cpu="3")
    world.run(1)
    assert world.node_of("q") is None
