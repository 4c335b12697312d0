"""The Go operator at work beside this one."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from builders import PerformerBuilder, go_pod_of, pod_of
from hourglass_kube.types import JSON
from hourglass_operator.controller import Outcome, Plan
from hourglass_operator.resources import go_operator, names
from scene import Scene, calls, conditions_of, scene, status_of
from situations import AT_ONCE, V1

THEIRS = {
    "phase": "Running",
    "ready": True,
    "podName": "performer-ml",
    "serviceName": "performer-ml",
    "grpcEndpoint": "performer-ml.avs.svc.cluster.local",
}
KEPT = (*THEIRS, "conditions", "readyTime", "lastUpgrade")
"""Fields that the Go operator knows."""
ML = V1.held_by(go_operator.FINALIZER, names.FINALIZER).with_status(**THEIRS)
OLD = go_pod_of(ML).on("node-1").ready()
NEW = pod_of(ML).on("node-1").ready()
START = 1000.0


class Contested:
    """A Performer that serves, in a cluster where a Go operator may answer every status."""

    def __init__(self) -> None:
        self.status = ML.status
        self.scene: Scene = scene(ML, OLD, NEW, serving=[OLD, NEW])
        self.events: list[str] = []
        self.deleted: list[float] = []

    def run(self, until: float, *, rival: bool) -> Iterator[tuple[float, Plan]]:
        """Passes that write the status, with their times."""
        controller = self.scene.controller
        now = START
        while (due := controller.queue.next_due()) is not None and due < until:
            now = max(now, due)
            begun = controller.take(now)
            assert begun is not None
            self.events.extend(event.body["reason"] for event in begun.plan.events)
            outcomes = []
            wrote = False
            for write in begun.plan.writes:
                if write.verb == "delete":
                    self.deleted.append(now)
                body = None
                if write.subresource == "status":
                    self.status = status_of(begun.plan, self.status)
                    body, wrote = self._performer(), True
                outcomes.append(Outcome(write, 200, body=body))
            controller.finish(begun, outcomes, now)
            if wrote:
                yield now, begun.plan
                if rival:
                    known = {k: v for k, v in self.status.items() if k in KEPT}
                    self.status = {**known, **THEIRS}
                    self.scene.sees("performers", self._performer(), now=now)

    def _performer(self) -> JSON:
        status: JSON = self.status
        built: PerformerBuilder = ML.with_status(**status)
        return {**built.build(), "status": status}


def test_a_status_that_is_not_put_back_is_the_end_of_a_normal_take_over() -> None:
    contested = Contested()
    (written,) = contested.run(START + 250, rival=False)
    assert conditions_of(status_of(written[1]))["Degraded"] == "False/AsExpected"
    assert contested.events == []
    assert contested.deleted[0] == START + 10


def test_one_that_is_put_back_is_reported_once_and_tried_again_ever_later() -> None:
    contested = Contested()
    written = list(contested.run(START + 3600, rival=True))
    pauses = [round(later - earlier) for (earlier, _), (later, _) in pairwise(written)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(300, abs=2)
    assert len(written) < 20
    status = status_of(written[1][1], dict(ML.status))
    assert conditions_of(status)["Degraded"] == "True/NameConflict"
    assert conditions_of(status)["Available"] == "True/PodReady"
    assert "scale deployment hourglass-operator --replicas=0" in status["conditions"][-1]["message"]
    assert contested.events == ["NameConflict"]


def test_while_it_lasts_the_go_operators_pod_and_service_stay() -> None:
    contested = Contested()
    plans = [plan for _, plan in contested.run(START + 3600, rival=True)][1:]
    assert [call for plan in plans for call in calls(plan)] == []


def test_when_the_rival_is_gone_the_take_over_ends() -> None:
    contested = Contested()
    list(contested.run(START + 600, rival=True))
    contested.deleted.clear()
    written = list(contested.run(START + 1000, rival=False))
    assert conditions_of(status_of(written[-1][1], contested.status))["Degraded"] == (
        "False/AsExpected"
    )
    assert contested.deleted


def test_a_status_from_before_a_way_back_to_the_go_operator_is_no_contest() -> None:
    """It keeps the conditions that it finds: they may be a year old."""
    before = status_of(scene(ML, NEW, serving=[NEW], settings=AT_ONCE).plan(START))
    back = ML.with_status(**THEIRS, conditions=before["conditions"])
    status = status_of(scene(back, OLD, serving=[OLD]).plan(START), back.status)
    assert conditions_of(status)["Degraded"] == "False/AsExpected"


def test_a_deletion_is_no_contest() -> None:
    contested = Contested()
    list(contested.run(START + 600, rival=True))
    deleting = {**ML.deleting(START + 600).build(), "status": contested.status}
    contested.scene.sees("performers", deleting)
    assert "delete pods performer-ml" in calls(contested.scene.plan(START + 601))
