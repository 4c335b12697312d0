"""What an answer says."""

import pytest

from hourglass_kube.types import JSON
from hourglass_operator.transport.calls import Answer, WatchError, no_answer

STATUS = {"kind": "Status", "reason": "Forbidden", "message": "no"}
ANSWERS: list[tuple[str, int, JSON, bool, str, str]] = [
    ("an object", 200, {"kind": "Pod"}, True, "", ""),
    ("a created object", 201, {"kind": "Pod"}, True, "", ""),
    ("the last code of success", 299, {}, True, "", ""),
    ("a redirect, which nobody follows", 300, {}, False, "", ""),
    ("a refusal", 403, STATUS, False, "Forbidden", "no"),
    ("what is no success yet", 199, {}, False, "", ""),
    ("a proxy's page", 502, {"message": "<html>"}, False, "", "<html>"),
    ("a reason that is a number", 500, {"reason": 7, "message": None}, False, "7", "None"),
]


@pytest.mark.parametrize(
    ("code", "body", "succeeded", "reason", "message"),
    [a[1:] for a in ANSWERS],
    ids=[a[0] for a in ANSWERS],
)
def test_an_answer(code: int, body: JSON, succeeded: bool, reason: str, message: str) -> None:
    answer = Answer(code, body)
    assert (answer.succeeded, answer.reason, answer.message) == (succeeded, reason, message)


def test_no_answer_is_no_success_and_says_why() -> None:
    answer = no_answer("the connection was lost")
    assert (answer.code, answer.succeeded) == (0, False)
    assert (answer.reason, answer.message) == ("NoAnswer", "the connection was lost")


def test_the_error_of_a_watch_says_what_its_answer_says() -> None:
    error = WatchError(Answer(403, STATUS))
    assert (str(error), error.answer.code) == ("no", 403)
