"""The simulator answers to every recorded object as the real API server did, letter by letter."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hourglass_simulator.apiserver.customresource import CustomResource
from hourglass_simulator.apiserver.decoding import STRICT, FieldValidation
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.resources import custom

GOLDENS = Path(__file__).parents[2] / "goldens"
RECORDER = runpy.run_path(str(GOLDENS / "record_validation.py"))
CRD = YAML(typ="safe").load(RECORDER["CRD"])


def cases(name: str) -> list[Any]:
    answers = json.loads((GOLDENS / f"validation/{name}.golden.json").read_text())
    written = RECORDER["load"](name)
    assert answers.keys() == written.keys(), "run tests/goldens/record_validation.py"
    return [pytest.param(written[case], answers[case], id=case) for case in written]


@pytest.fixture(scope="module")
def performers() -> CustomResource:
    return CustomResource(CRD)


def answer(performers: CustomResource, case: dict[str, Any]) -> dict[str, Any]:
    new, created = RECORDER["objects"](case)
    try:
        if case.get("strict", False):
            FieldValidation(STRICT).judge(custom(CRD), new, performers.unknown_fields(new))
        if created is None:
            return performers.admit(new)
        stored = performers.admit(created)
        subresource = "status" if case["on"] == "status" else ""
        return performers.admit(new, stored, subresource=subresource)
    except APIError as error:
        return dict(RECORDER["comparable"](error.status()))


@pytest.mark.parametrize(("case", "golden"), cases("refused"))
def test_refused_with_the_real_servers_words(
    performers: CustomResource, case: dict[str, Any], golden: dict[str, Any]
) -> None:
    assert golden["code"] >= 400
    assert answer(performers, case) == golden


@pytest.mark.parametrize(("case", "golden"), cases("accepted"))
def test_accepted_and_read_back_like_on_the_real_server(
    performers: CustomResource, case: dict[str, Any], golden: dict[str, Any]
) -> None:
    assert "code" not in golden
    assert answer(performers, case) == golden
