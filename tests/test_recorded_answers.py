"""Answers that differ from the recorded ones are named, and so are those that no longer do."""

from typing import Any

import pytest

from recorded_answers import agree

RECORDED = {"a pod": {"code": 200}, "a node": {"code": 201}, "a Secret": {"code": 404}}


def test_answers_that_are_the_recorded_ones() -> None:
    agree(dict(RECORDED), RECORDED)


def test_an_answer_that_is_known_to_differ() -> None:
    agree({**RECORDED, "a node": {"code": 500}}, RECORDED, ["a node"])


@pytest.mark.parametrize(
    ("answers", "otherwise", "said"),
    [
        pytest.param(
            {**RECORDED, "a pod": {"code": 500}, "a Secret": {"code": 0}},
            ["a Secret"],
            r"a pod\n",
            id="an answer that differs",
        ),
        pytest.param(RECORDED, ["a pod"], "no longer differ: .*a pod", id="one that agrees again"),
        pytest.param({"a pod": {"code": 200}}, [], "a node", id="answers that are missing"),
    ],
)
def test_what_is_said(answers: dict[str, Any], otherwise: list[str], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        agree(answers, RECORDED, otherwise)
