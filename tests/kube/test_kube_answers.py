"""The rules of `kube` give the same answers as Kubernetes' own Go code (goldens/record_kube.py)."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from hourglass_kube import affinity, podresources, quantity, selector, toleration
from hourglass_kube.node import Taint, view
from recorded_answers import agree

RECORDED = json.loads((Path(__file__).parents[1] / "goldens/kube/answers.json").read_text())
CASES, ANSWERS = RECORDED["cases"], RECORDED["answers"]
INT64 = 2**63


def numbered(found: list[Any], part: str) -> dict[str, Any]:
    """By the cases: some are written twice, or are no texts."""
    cases = CASES[part]
    return {f"{number}: {cases[number]}": each for number, each in enumerate(found)}


def said(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except ValueError as error:
        return {"error": str(error)}


def test_quantities() -> None:
    def read(case: str) -> Any:
        value = said(quantity.parse, case)
        if not isinstance(value, Decimal):
            return value
        found: dict[str, Any] = {"value": value}
        # Beyond 64 bits Kubernetes' arithmetic wraps around; below zero its two forms differ.
        if 0 <= value < INT64:
            found["whole"] = quantity.whole(case)
        if 0 <= value * 1000 < INT64:
            found["milli"] = quantity.milli(case)
        return found

    def comparable(answer: dict[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            return answer
        value = Decimal(answer["value"])
        kept = {"whole": 0 <= value < INT64, "milli": 0 <= value * 1000 < INT64}
        return {"value": value, **{name: answer[name] for name, keeps in kept.items() if keeps}}

    agree(
        numbered([read(case) for case in CASES["quantities"]], "quantities"),
        numbered([comparable(answer) for answer in ANSWERS["quantities"]], "quantities"),
    )


def test_label_selectors() -> None:
    def chosen(case: str) -> Any:
        parsed = said(selector.parse, case)
        if isinstance(parsed, dict):
            return parsed
        return [selector.matches_all(parsed, labels) for labels in CASES["labels"]]

    agree(
        numbered([chosen(case) for case in CASES["selectors"]], "selectors"),
        numbered(ANSWERS["selectors"], "selectors"),
    )


def test_field_selectors() -> None:
    def read(case: str) -> Any:
        parsed = said(selector.parse_fields, case)
        return parsed if isinstance(parsed, dict) else [list(part) for part in parsed]

    agree(
        numbered([read(case) for case in CASES["fields"]], "fields"),
        numbered(ANSWERS["fields"], "fields"),
    )


def test_placement() -> None:
    nodes = [view(node) for node in CASES["nodes"]]

    def placed(spec: dict[str, Any]) -> Any:
        permits, prefers = affinity.compile_pod(spec), affinity.preference(spec)
        return [[permits(node), prefers(node)] for node in nodes]

    agree(
        numbered([placed(spec) for spec in CASES["podSpecs"]], "podSpecs"),
        numbered(ANSWERS["podSpecs"], "podSpecs"),
    )


def test_tolerations() -> None:
    taints = [Taint(t["key"], t["value"], t["effect"]) for t in CASES["taints"]]
    found = [
        [toleration.tolerates(case, taint) for taint in taints] for case in CASES["tolerations"]
    ]
    agree(numbered(found, "tolerations"), numbered(ANSWERS["tolerations"], "tolerations"))


def test_requests() -> None:
    found = [podresources.requests(spec) for spec in CASES["pods"]]
    agree(numbered(found, "pods"), numbered(ANSWERS["pods"], "pods"))
