"""Whose passes go first, and what it does for the time until a Performer runs."""

import heapq
from collections.abc import Callable
from statistics import median

import pytest

from builders import CATALOGUE, NAMESPACE, PerformerBuilder, performer, pod_of
from hourglass_kube.types import JSON
from hourglass_operator.controller import Controller, Outcome, Settings, Write
from hourglass_operator.controller.cache import RESOURCES
from hourglass_operator.controller.priority import priority
from hourglass_operator.controller.queue import Priority
from hourglass_operator.controller.views import performer_view
from scene import take_list

NEW = performer("ml")
DELETED = NEW.deleting(0)
PRIORITIES = [
    ("a new one", NEW, False, Priority.NORMAL),
    ("one whose pod starts", NEW, True, Priority.HIGH),
    ("one that runs", NEW.with_status(phase="Running"), True, Priority.NORMAL),
    ("one that has lost its pod", NEW.with_status(phase="Running"), False, Priority.NORMAL),
    ("one whose upgrade is under way", NEW.with_status(phase="Upgrading"), True, Priority.HIGH),
    ("a deletion that has not begun", DELETED, True, Priority.NORMAL),
    (
        "a deletion that is under way",
        DELETED.with_status(phase="Terminating"),
        True,
        Priority.HIGH,
    ),
    ("a deletion that only has to be released", DELETED, False, Priority.HIGH),
]


@pytest.mark.parametrize(
    ("of", "has_pods", "expected"), [p[1:] for p in PRIORITIES], ids=[p[0] for p in PRIORITIES]
)
def test_the_priority_of(of: PerformerBuilder, has_pods: bool, expected: Priority) -> None:
    assert priority(performer_view(of.build()), has_pods=has_pods) is expected


def test_what_is_gone_is_in_no_hurry() -> None:
    assert priority(None, has_pods=True) is Priority.NORMAL


CALL = 0.03
"""Seconds that a write takes: those of a hundred Performers take much longer than a start."""
START = 2.0
"""Seconds from the creation of a pod until it serves, and from its deletion until it is gone."""


class Crowd:
    """Many Performers at once, whose writes are performed one after another."""

    def __init__(self, count: int) -> None:
        self.controller = Controller(CATALOGUE, Settings())
        self.of = {f"p{n}": performer(f"p{n}").with_uid(f"uid-{n}") for n in range(count)}
        self.now, self.sequence = 0.0, 0
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.ended: dict[str, float] = {}
        for resource in RESOURCES:
            found = [of.build() for of in self.of.values()] if resource == "performers" else []
            take_list(self.controller, resource, found, "0", 0.0)

    def run(self, phase: str, seconds: float) -> list[float]:
        """When each Performer came to the phase; "" stands for having been released."""
        self.ended.clear()
        end = self.now + seconds
        while self.now < end and len(self.ended) < len(self.of):
            while self.events and self.events[0][0] <= self.now:
                heapq.heappop(self.events)[2]()
            due = self.controller.take(self.now)
            if due is None:
                self.now += CALL
                continue
            outcomes = []
            for write in due.plan.writes:
                self.now += CALL
                outcomes.append(Outcome(write, 200, body=self.answer(write)))
                fields = write.body.get("status", {})
                if fields.get("phase") == phase or (not phase and "finalizers" in str(write.body)):
                    self.ended.setdefault(due.key[1], self.now)
            self.controller.finish(due, outcomes, self.now)
        return sorted(self.ended.values())

    def answer(self, write: Write) -> JSON | None:
        name = write.name.removeprefix("performer-").partition("-")[0]
        of = self.of[name]
        if write.resource == "performers" and write.subresource:
            self.of[name] = of = of.with_status(**write.body["status"])
            return of.build()
        if (write.verb, write.resource) == ("create", "services"):
            return of.service()
        if (write.verb, write.resource) == ("create", "pods"):
            self.later(lambda: self.see("pods", pod_of(of).on("node-1").ready().build()))
            self.later(lambda: self.see("endpointslices", of.endpoints(pod_of(of).name)))
            return pod_of(of).build()
        if write.verb == "delete":
            gone = pod_of(of).on("node-1").ready().deleting(self.now)
            self.later(lambda: self.see("pods", gone.build(), "DELETED"))
            return gone.build()
        return None

    def later(self, event: Callable[[], None]) -> None:
        self.sequence += 1
        heapq.heappush(self.events, (self.now + START, self.sequence, event))

    def see(self, resource: str, obj: JSON, event: str = "MODIFIED") -> None:
        self.controller.event_handler.watched(resource, event, obj, self.now)

    def delete_all(self) -> None:
        self.of = {name: of.deleting(self.now) for name, of in self.of.items()}
        for of in self.of.values():
            self.see("performers", of.build())


@pytest.mark.parametrize("count", [100, 300])
def test_half_of_those_created_at_once_run_after_little_more_than_half_the_time(count: int) -> None:
    running = Crowd(count).run("Running", 600.0)
    assert len(running) == count
    assert median(running) <= 0.6 * running[-1]


def test_half_of_those_deleted_at_once_are_gone_after_little_more_than_half_the_time() -> None:
    crowd = Crowd(100)
    crowd.run("Running", 600.0)
    began = crowd.now
    crowd.delete_all()
    gone = [when - began for when in crowd.run("", 600.0)]
    assert len(gone) == 100
    assert median(gone) <= 0.6 * gone[-1]


def test_a_new_performer_does_not_starve_beside_those_that_are_under_way() -> None:
    crowd = Crowd(100)
    for of in crowd.of.values():
        crowd.see("pods", pod_of(of).build())
    late = performer("late")
    crowd.see("performers", late.build())
    taken = []
    while (due := crowd.controller.take(0.0)) is not None:
        taken.append(due.key)
        crowd.controller.finish(due, [Outcome(write, 200) for write in due.plan.writes], 0.0)
        # Something of theirs changes all the time.
        crowd.see("pods", pod_of(crowd.of["p0"]).build())
        if due.key == (NAMESPACE, "late"):
            break
    assert taken.index((NAMESPACE, "late")) <= 9
