"""Performers trimmed to what decisions read."""

from typing import Any

import pytest

from builders import PerformerBuilder
from hourglass_operator.api import PerformerStatus
from hourglass_operator.controller.views import performer_view
from scene import scene, status_of
from situations import AT_ONCE, NOW, OLD, V1, settled

RUNNING = settled(V1, OLD, serving=(OLD,))


def test_phase_and_reason_are_plain_fields() -> None:
    view = performer_view(RUNNING.build())
    assert (view.phase, view.ready_reason) == ("Running", "PodReady")
    new = performer_view(V1.build())
    assert (new.phase, new.ready_reason) == ("Pending", "")


@pytest.mark.parametrize(
    "of", [V1, RUNNING, RUNNING.image("avs/performer:v2")], ids=["new", "settled", "changed"]
)
def test_the_status_comes_back_as_it_was(of: PerformerBuilder) -> None:
    status, fields = performer_view(of.build()).parsed_status()
    assert fields == of.status
    assert status == PerformerStatus.model_validate(of.status)


def test_only_what_has_settled_is_compressed() -> None:
    for of, compressed in [(V1, False), (RUNNING, True), (RUNNING.image("x/y:v2"), False)]:
        view = performer_view(of.build())
        stored = (view.stored_spec, view.stored_status)
        assert [not text.startswith(b"{") for text in stored] == [compressed] * 2


UNREADABLE = [
    ("a phase that is no text", {"phase": 7}),
    ("conditions that are no list", {"conditions": "none"}),
    ("a condition that is none", {"conditions": ["Ready"]}),
    ("a reason that is no text", {"conditions": [{"type": "Ready", "reason": {}}]}),
    ("a time that is none", {"progressStartTime": "yesterday"}),
]


@pytest.mark.parametrize("fields", [u[1] for u in UNREADABLE], ids=[u[0] for u in UNREADABLE])
def test_a_status_that_cannot_be_read_counts_as_empty_and_is_written_anew(
    fields: dict[str, Any],
) -> None:
    of = V1.with_status(**fields)
    view = performer_view(of.build())
    assert view.status() == PerformerStatus()
    assert view.ready_reason == ""
    staged = scene(of, OLD, serving=[OLD], settings=AT_ONCE)
    written = status_of(staged.plan(NOW), of.status)
    assert written == RUNNING.status
