"""The finalizer, and what a deleted Performer waits for."""

import pytest

from builders import PerformerBuilder, PodBuilder
from hourglass_kube.types import JSON
from hourglass_operator.resources import names
from scene import scene, status_of
from situations import NOW, OLD, V1, CallsCase, assert_calls, settled

SERVING = OLD


def delete(pod: PodBuilder) -> str:
    return f"delete pods {pod.name}"


def first_body(of: PerformerBuilder) -> JSON:
    return scene(of).plan(NOW).writes[0].body


CASES = [
    CallsCase("a deleted performer deletes its pod", V1.deleting(NOW), [OLD], [delete(OLD)]),
    CallsCase("a deleted performer waits for its pod", V1.deleting(NOW), [OLD.deleting(1030)], []),
    CallsCase(
        "a deleted performer without pods is released",
        V1.deleting(NOW),
        [],
        ["patch performers ml"],
    ),
    CallsCase(
        "a pod that does not end is waited for 59 seconds past its grace period",
        V1.deleting(900),
        [OLD.deleting(941)],
        [],
    ),
    CallsCase(
        "a pod that does not end is waited for no longer than 60 seconds past its grace period",
        V1.deleting(900),
        [OLD.deleting(940)],
        ["patch performers ml"],
    ),
    CallsCase(
        "a pod that has ended is not waited for while finalizers of others keep it",
        V1.deleting(NOW),
        [OLD.succeeded().deleting(1030).kept_by("example.com/audit")],
        ["patch performers ml"],
    ),
    CallsCase(
        "a pod that has ended and goes in a moment is waited for",
        V1.deleting(NOW),
        [OLD.succeeded().deleting(1030)],
        [],
    ),
    CallsCase(
        "a pod that runs is waited for, whoever keeps it",
        V1.deleting(NOW),
        [OLD.deleting(1030).kept_by("example.com/audit")],
        [],
    ),
    CallsCase(
        "a pod that has ended is deleted first",
        V1.deleting(NOW),
        [OLD.failed("Evicted").kept_by("example.com/audit")],
        [delete(OLD)],
    ),
    CallsCase(
        "a deletion that others hold up is left to them",
        V1.held_by("other/finalizer").deleting(NOW),
        [OLD],
        [],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_calls(case: CallsCase) -> None:
    assert_calls(case)


def test_the_finalizer_joins_those_of_others() -> None:
    held = V1.held_by("other/finalizer")
    body = first_body(held)
    assert body["metadata"]["finalizers"] == ["other/finalizer", names.FINALIZER]
    assert body["metadata"]["resourceVersion"]


def test_the_finalizer_leaves_those_of_others() -> None:
    body = first_body(V1.held_by("other/finalizer", names.FINALIZER).deleting(NOW))
    assert body["metadata"]["finalizers"] == ["other/finalizer"]


OTHERS = V1.held_by("other/finalizer").deleting(990)
HELD_BY_OTHERS = [
    ("that never had a pod ends", OTHERS.with_status(phase="Failed"), NOW),
    (
        "no longer waits for a pod that has ended",
        settled(V1.deleting(990), SERVING.deleting(1030)).held_by("other/finalizer"),
        NOW + 2,
    ),
]


@pytest.mark.parametrize(
    ("held", "then"), [h[1:] for h in HELD_BY_OTHERS], ids=[h[0] for h in HELD_BY_OTHERS]
)
def test_a_performer_that_others_hold(held: PerformerBuilder, then: float) -> None:
    staged = scene(held)
    staged.ends(SERVING, now=NOW)
    staged.succeed(staged.plan(NOW), NOW)
    status = status_of(staged.plan(then), held.status)
    assert (status["phase"], status["conditions"][-1]["message"]) == (
        "Terminating",
        "no pod is left",
    )
    reported = scene(held.with_status(**status))
    reported.ends(SERVING, now=NOW)
    assert reported.plan(then + 9).writes == ()
