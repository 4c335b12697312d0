"""The simulator answers to every recorded object as the real API server did, letter by letter."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from goldens import newer, record_validation
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.customresource import CustomResource
from hourglass_simulator.apiserver.decoding import STRICT, FieldValidation
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.resources import custom
from hourglass_simulator.kubernetes.version import version
from recorded_answers import agree

CRD = YAML(typ="safe").load(record_validation.CRD)


def cases(name: str) -> list[Any]:
    written, golden = record_validation.load(name), record_validation.golden(name)
    return [
        pytest.param(kubernetes, written, newer.whole(golden, kubernetes), id=kubernetes)
        for kubernetes in newer.recorded(golden)
    ]


@pytest.fixture(scope="module")
def performers() -> CustomResource:
    return CustomResource(CRD)


def answer(performers: CustomResource, kubernetes: str, case: dict[str, Any]) -> dict[str, Any]:
    with gates.Following(version(kubernetes)):
        return _answer(performers, case)


def _answer(performers: CustomResource, case: dict[str, Any]) -> dict[str, Any]:
    new, created = record_validation.objects(case)
    try:
        if case.get("strict", False):
            FieldValidation(STRICT).judge(custom(CRD), new, performers.unknown_fields(new))
        if created is None:
            return performers.admit(new)
        stored = performers.admit(created)
        subresource = "status" if case["on"] == "status" else ""
        return performers.admit(new, stored, subresource=subresource)
    except APIError as error:
        return dict(record_validation.comparable(error.status()))


@pytest.mark.parametrize(("kubernetes", "written", "golden"), cases("refused"))
def test_refused_with_the_real_servers_words(
    performers: CustomResource, kubernetes: str, written: dict[str, Any], golden: dict[str, Any]
) -> None:
    assert all(answer["code"] >= 400 for answer in golden.values())
    agree({name: answer(performers, kubernetes, case) for name, case in written.items()}, golden)


@pytest.mark.parametrize(("kubernetes", "written", "golden"), cases("accepted"))
def test_accepted_and_read_back_like_on_the_real_server(
    performers: CustomResource, kubernetes: str, written: dict[str, Any], golden: dict[str, Any]
) -> None:
    assert not any("code" in answer for answer in golden.values())
    agree({name: answer(performers, kubernetes, case) for name, case in written.items()}, golden)
