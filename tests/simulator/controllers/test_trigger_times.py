"""Tests of `trigger_times`."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.controllers.trigger_times import ANNOTATION, TriggerTimes, annotated

KEY = ("default", "web")
SERVICE: JSON = {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}}
EARLY, LATE, LATER = (f"2026-01-01T00:00:0{second}Z" for second in (1, 2, 3))


def pod(name: str, since: str) -> JSON:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
    return {"metadata": {"name": name}, "status": {"conditions": [ready]}}


@pytest.mark.parametrize(
    ("before", "after", "time"),
    [
        pytest.param(
            None, {"a": EARLY}, "2026-01-01T00:00:00Z", id="a Service that is new since it is there"
        ),
        pytest.param({}, {"a": LATE}, LATE, id="a pod that is new since it is ready"),
        pytest.param({"a": EARLY}, {"a": EARLY}, "", id="nothing changed"),
        pytest.param({"a": EARLY}, {"a": LATER}, LATER, id="a pod became ready again"),
        pytest.param({}, {"a": LATER, "b": LATE}, LATE, id="the earliest of several"),
        pytest.param({"a": EARLY}, {}, "", id="a pod that is gone says nothing"),
    ],
)
def test_the_time_of_the_change(
    before: dict[str, str] | None, after: dict[str, str], time: str
) -> None:
    times = TriggerTimes()
    if before is not None:
        times.changed(KEY, SERVICE, [pod(*each) for each in before.items()])
    assert times.changed(KEY, SERVICE, [pod(*each) for each in after.items()]) == time


def test_a_service_of_the_same_name_is_new_once_the_first_is_forgotten() -> None:
    times = TriggerTimes()
    times.changed(KEY, SERVICE, [])
    times.forget(KEY)
    assert times.changed(KEY, SERVICE, []) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("meta", "time", "annotations"),
    [
        pytest.param({}, EARLY, {ANNOTATION: EARLY}, id="added"),
        pytest.param({"annotations": {"a": "b"}}, EARLY, {"a": "b", ANNOTATION: EARLY}, id="kept"),
        pytest.param({"annotations": {ANNOTATION: EARLY}}, "", None, id="taken away"),
    ],
)
def test_annotations(meta: JSON, time: str, annotations: JSON | None) -> None:
    assert annotated({"name": "web", **meta}, time).get("annotations") == annotations
