"""Requests that are answered as by a real API server, whatever the kind."""

from typing import Any

import pytest
from simulated_bare_server import Simulated

from goldens import newer, record_requests
from hourglass_simulator.kubernetes.version import VERSIONS, version

CASES = record_requests.load()
GOLDENS: dict[str, dict[str, list[Any]]] = {
    version: newer.whole(record_requests.GOLDEN, version) for version in VERSIONS
}


def test_every_request_is_recorded() -> None:
    for goldens in GOLDENS.values():
        recorded = {name: len(answers) for name, answers in goldens.items()}
        assert {name: len(steps) for name, steps in CASES.items()} == recorded


@pytest.mark.parametrize("kubernetes", VERSIONS)
@pytest.mark.parametrize("name", CASES)
def test_as_on_a_real_server(name: str, kubernetes: str) -> None:
    answers = record_requests.play(Simulated(version(kubernetes)), name, CASES[name])
    goldens = GOLDENS[kubernetes][name]
    for step, answer, golden in zip(CASES[name], answers, goldens, strict=True):
        assert answer == golden, f"{step.method} {step.path} {step.body}"
