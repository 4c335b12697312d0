"""Answers of a real API server (see record_answers.py), and the errors made of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from hourglass_operator.client import (
    AlreadyExistsError,
    Cause,
    ConflictError,
    ForbiddenError,
    InvalidError,
    MissingDefinitionError,
    NotFoundError,
    RequestError,
    UnauthorizedError,
    UnavailableError,
    UnreadableError,
)
from hourglass_operator.client.errors import refusal
from hourglass_operator.client.performer import Performer

ANSWERS: dict[str, Any] = json.loads(
    Path(__file__).with_name("answers.golden.json").read_text(encoding="utf-8")
)
MAY_NOT = "needs apiGroups [hourglass.eigenlayer.io], resources [performers], verbs"


@pytest.mark.parametrize(
    ("case", "kind", "said"),
    [
        (
            "no definition",
            MissingDefinitionError,
            "kubectl apply --server-side -f crds/performers.",
        ),
        ("no permission to create", ForbiddenError, f"{MAY_NOT} [create]"),
        ("no permission to get", ForbiddenError, f"{MAY_NOT} [get]"),
        ("no permission to list", ForbiddenError, f"{MAY_NOT} [list]"),
        ("no permission to watch", ForbiddenError, f"{MAY_NOT} [watch]"),
        ("no permission to patch", ForbiddenError, f"{MAY_NOT} [patch]"),
        ("no permission to delete", ForbiddenError, f"{MAY_NOT} [delete]"),
        ("wrong credentials", UnauthorizedError, "check the pod's service account"),
        ("no such performer", NotFoundError, "no performer my-avs-project/worker"),
        ("bad values", InvalidError, "spec.config.grpcPort: Invalid value: 0"),
        ("a value of another type", InvalidError, "spec.image: Invalid value"),
        ("a bad name", InvalidError, "metadata.name: Invalid value"),
        ("a name that is taken", AlreadyExistsError, "upgrade it, or delete it"),
        ("an outdated change", ConflictError, "the object has been modified"),
        ("a quota that is used up", RequestError, "exceeded quota: few"),
        ("a history that is gone", RequestError, "too old resource version"),
    ],
    ids=lambda value: value if value in ANSWERS else "",
)
def test_what_an_answer_means(case: str, kind: type[RequestError], said: str) -> None:
    error = refusal(**ANSWERS[case])
    assert type(error) is kind
    assert said in str(error)
    assert error.code == ANSWERS[case]["code"]


def test_every_field_that_is_wrong_is_named() -> None:
    error = refusal(**ANSWERS["bad values"])
    assert isinstance(error, InvalidError)
    assert sorted(cause.field for cause in error.causes) == [
        "spec.avsAddress",
        "spec.config.grpcPort",
    ]
    assert all(isinstance(cause, Cause) and cause.message for cause in error.causes)


def test_what_is_about_no_field_is_left_out() -> None:
    assert "<nil>" not in str(refusal(**ANSWERS["a value of another type"]))


def test_lost_history_is_reported_by_its_code() -> None:
    assert refusal(**ANSWERS["a history that is gone"]).code == 410


@pytest.mark.parametrize("code", [0, 429, 500, 503])
def test_what_may_work_later_says_so_by_its_type(code: int) -> None:
    assert isinstance(refusal("get", "avs", "worker", code, {}), UnavailableError)


def test_an_object_that_is_not_understood_is_named() -> None:
    body = {"metadata": {"name": "worker"}, "spec": {"avsAddress": "0x" + "1" * 40, "image": "A B"}}
    with pytest.raises(UnreadableError, match=r"Performer worker: spec\.image: .*another version"):
        Performer.from_json(body)


NEWER: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "goldens/validation/refused.1.37.golden.json").read_text("utf-8")
)


@pytest.mark.parametrize(
    ("case", "field", "said"),
    [
        ("an empty avsAddress", "spec.avsAddress", 'Invalid value: "": must be an Ethereum'),
        ("a name with a dot", "metadata.name", "Invalid value: must be at most 53"),
        ("a grpcPort with a fraction", "spec.config.grpcPort", "must be of type int32"),
    ],
    ids=lambda value: value if value in NEWER else "",
)
def test_what_a_refusal_of_1_37_means_which_shows_the_value(
    case: str, field: str, said: str
) -> None:
    error = refusal("create", "avs", "worker", 422, NEWER[case])
    assert isinstance(error, InvalidError)
    ((name, message),) = {(cause.field, cause.message) for cause in error.causes}
    assert name == field
    assert said in message
