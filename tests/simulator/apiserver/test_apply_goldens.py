"""Server-side apply, patches and managedFields as on a real API server."""

from collections.abc import Iterable
from typing import Any

import pytest
from simulated_bare_server import Simulated

from goldens import newer, record_apply, record_requests
from goldens.record_apply import AGENT, WAIT
from goldens.record_kinds import JSON_TYPE, Step
from hourglass_simulator.kubernetes.version import version
from recorded_answers import agree

CASES = record_apply.load()
GOLDENS: dict[str, dict[str, list[Any]]] = {
    kubernetes: newer.whole(record_apply.GOLDEN, kubernetes)
    for kubernetes in newer.recorded(record_apply.GOLDEN)
}


def requests_of(case: str) -> list[Step]:
    steps = [record_apply.step(written, "{ns}") for written in CASES[case]]
    return [step for step in steps if step.method not in (AGENT, WAIT)]


def test_every_request_is_recorded() -> None:
    for goldens in GOLDENS.values():
        recorded = {name: len(answers) for name, answers in goldens.items()}
        assert {name: len(requests_of(name)) for name in CASES} == recorded


def server(kubernetes: str) -> Simulated:
    simulated = Simulated(version(kubernetes), managed_fields=True)
    for crd in record_apply.definitions():
        made = simulated.call(
            "POST", record_apply.DEFINITIONS, crd, content_type=JSON_TYPE, accept=JSON_TYPE
        )
        assert made.code == 201, made.body
    return simulated


@pytest.mark.parametrize("kubernetes", GOLDENS)
def test_as_on_a_real_server(kubernetes: str) -> None:
    simulated = server(kubernetes)
    answers = {
        name: record_apply.play(simulated, case, f"{record_requests.namespace(name)}-0")
        for name, case in CASES.items()
    }
    agree(
        {name: answered(name, found) for name, found in answers.items()},
        {name: answered(name, golden) for name, golden in GOLDENS[kubernetes].items()},
    )


def answered(name: str, answers: Iterable[Any]) -> list[tuple[str, Any]]:
    """Each request of a case and its answer."""
    return [
        (f"{number}: {step.method} {step.path} {step.body}", answer)
        for number, (step, answer) in enumerate(zip(requests_of(name), answers, strict=True))
    ]
