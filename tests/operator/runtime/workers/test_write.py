"""Writes as calls, and answers as outcomes."""

import asyncio
from typing import Any

import pytest

from hourglass_operator.controller import Outcome, Write
from hourglass_operator.runtime.workers.write import perform
from scripted_api import Script, done, refused

POD: dict[str, Any] = {"metadata": {"name": "x", "resourceVersion": "7"}}
CREATE = Write("create", "pods", "avs", "x", POD)
PATCH = Write("patch", "performers", "avs", "ml", {"status": {}}, "status")
RESIZE = Write("patch", "pods", "avs", "x", {"spec": {}}, "resize", strategic=True)
DELETE = Write("delete", "pods", "avs", "x", {"preconditions": {"uid": "u"}})


def outcome(write: Write, *answers: Any) -> tuple[Outcome, Script]:
    script = Script(*answers)
    return asyncio.run(perform(script, write, 3.0)), script


CALLS = [
    ("a create is addressed to the resource", CREATE, ("create", "pods", "avs", "", "")),
    (
        "a patch to the object or its subresource",
        PATCH,
        ("patch", "performers", "avs", "ml", "status"),
    ),
    ("a resize to the pod's subresource", RESIZE, ("patch", "pods", "avs", "x", "resize")),
    ("a delete to the object", DELETE, ("delete", "pods", "avs", "x", "")),
]


@pytest.mark.parametrize(("write", "call"), [c[1:] for c in CALLS], ids=[c[0] for c in CALLS])
def test_calls(write: Write, call: tuple[str, ...]) -> None:
    _, script = outcome(write, done(**POD))
    made = script.calls[0]
    assert (made.verb, made.resource, made.namespace, made.name, made.subresource) == call
    assert (made.body, made.strategic) == (write.body, write.strategic)
    assert script.timeouts[0] == 3.0
    # Whether it may still be sent later is asked before it is sent.
    assert script.once[0]


def test_what_comes_back_is_kept() -> None:
    assert outcome(CREATE, done(**POD))[0] == Outcome(CREATE, 200, body=POD)


def test_a_status_is_no_object() -> None:
    assert outcome(DELETE, done(kind="Status"))[0] == Outcome(DELETE, 200)


def test_a_name_that_is_taken_is_read() -> None:
    taken, script = outcome(CREATE, refused(409, "AlreadyExists", "it exists"), done(**POD))
    assert taken == Outcome(CREATE, 409, "AlreadyExists", "it exists", POD)
    assert (script.calls[1].verb, script.calls[1].name) == ("get", "x")


def test_a_name_that_is_free_again_is_no_object() -> None:
    free, _ = outcome(CREATE, refused(409, "AlreadyExists"), refused(404))
    assert (free.code, free.body) == (409, None)


@pytest.mark.parametrize(
    "answer",
    [refused(409, "Conflict", "changed"), refused(403, "Forbidden", "no"), refused(0, "", "gone")],
    ids=["a conflict", "a refusal", "no answer at all"],
)
def test_a_refusal_keeps_its_message(answer: Any) -> None:
    failed, script = outcome(PATCH, answer)
    assert (failed.code, failed.reason, failed.message) == (
        answer.code,
        answer.reason,
        answer.message,
    )
    assert len(script.calls) == 1
