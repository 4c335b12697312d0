"""The rules of `kube` give the same answers as Kubernetes' own Go code (goldens/record_kube.py)."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hourglass_kube import affinity, podresources, quantity, selector, toleration
from hourglass_kube.node import Taint, view

RECORDED = json.loads((Path(__file__).parents[1] / "goldens/kube/answers.json").read_text())
CASES, ANSWERS = RECORDED["cases"], RECORDED["answers"]
INT64 = 2**63


def _id(value: Any) -> str:
    return value[:40] or "empty" if isinstance(value, str) else "as in Go"


def pairs(part: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("case", "answer"), list(zip(CASES[part], ANSWERS[part], strict=True)), ids=_id
    )


def said(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except ValueError as error:
        return {"error": str(error)}


@pairs("quantities")
def test_quantity(case: str, answer: dict[str, Any]) -> None:
    value = said(quantity.parse, case)
    if "error" in answer:
        assert value == answer
        return
    assert value == Decimal(answer["value"])
    # Beyond 64 bits Kubernetes' arithmetic wraps around; below zero its two forms differ.
    if 0 <= value < INT64:
        assert quantity.whole(case) == answer["whole"]
    if 0 <= value * 1000 < INT64:
        assert quantity.milli(case) == answer["milli"]


@pairs("selectors")
def test_label_selector(case: str, answer: Any) -> None:
    parsed = said(selector.parse, case)
    if isinstance(answer, dict):
        assert parsed == answer
    else:
        assert [selector.matches_all(parsed, labels) for labels in CASES["labels"]] == answer


@pairs("fields")
def test_field_selector(case: str, answer: Any) -> None:
    parsed = said(selector.parse_fields, case)
    if isinstance(answer, dict):
        assert parsed == answer
    else:
        assert [list(part) for part in parsed] == answer


@pytest.mark.parametrize("number", range(len(CASES["podSpecs"])))
def test_placement(number: int) -> None:
    spec, answer = CASES["podSpecs"][number], ANSWERS["podSpecs"][number]
    nodes = [view(node) for node in CASES["nodes"]]
    permits, prefers = affinity.compile_pod(spec), affinity.preference(spec)
    assert [[permits(node), prefers(node)] for node in nodes] == answer, spec


@pairs("tolerations")
def test_toleration(case: dict[str, str], answer: list[bool]) -> None:
    taints = [Taint(t["key"], t["value"], t["effect"]) for t in CASES["taints"]]
    assert [toleration.tolerates(case, taint) for taint in taints] == answer


@pytest.mark.parametrize("number", range(len(CASES["pods"])))
def test_requests(number: int) -> None:
    spec, answer = CASES["pods"][number], ANSWERS["pods"][number]
    assert podresources.requests(spec) == answer, spec
