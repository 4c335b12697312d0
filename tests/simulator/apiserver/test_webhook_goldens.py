"""Admission webhooks are called, and answered, as by a real API server."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from simulated_bare_server import Simulated

from goldens import newer, record_webhooks
from goldens.webhook_server import WebhookServer, webhook_server
from hourglass_simulator.http.webhook_client import WebhookClient
from hourglass_simulator.kubernetes.version import version

CASES = record_webhooks.load()
GOLDENS: dict[str, dict[str, list[Any]]] = {
    kubernetes: newer.whole(record_webhooks.GOLDEN, kubernetes)
    for kubernetes in newer.recorded(record_webhooks.GOLDEN)
}


@pytest.fixture(scope="module")
def hooks() -> Iterator[WebhookServer]:
    with webhook_server() as found:
        yield found


def test_every_step_is_recorded() -> None:
    for goldens in GOLDENS.values():
        recorded = {name: len(answers) for name, answers in goldens.items()}
        assert {name: len(steps) for name, steps in CASES.items()} == recorded


@pytest.mark.parametrize("kubernetes", GOLDENS)
@pytest.mark.parametrize("case", CASES)
def test_as_on_a_real_server(case: str, kubernetes: str, hooks: WebhookServer) -> None:
    server = Simulated(version(kubernetes), rbac=True)
    server.api.call_webhooks_by(WebhookClient(threading.RLock(), {}))
    answers = record_webhooks.play(server, hooks, case, CASES[case])
    for step, answer, golden in zip(CASES[case], answers, GOLDENS[kubernetes][case], strict=True):
        assert answer == golden, str(step)
