"""Admission webhooks are called, and answered, as by a real API server."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from simulated_bare_server import Simulated

from goldens import record_webhooks
from goldens.webhook_server import WebhookServer, webhook_server
from hourglass_simulator.http.webhook_client import WebhookClient

CASES = record_webhooks.load()
GOLDENS: dict[str, list[Any]] = json.loads(record_webhooks.GOLDEN.read_text())


@pytest.fixture(scope="module")
def hooks() -> Iterator[WebhookServer]:
    with webhook_server() as found:
        yield found


def test_every_step_is_recorded() -> None:
    recorded = {name: len(answers) for name, answers in GOLDENS.items()}
    assert {name: len(steps) for name, steps in CASES.items()} == recorded


@pytest.mark.parametrize("case", CASES)
def test_as_on_a_real_server(case: str, hooks: WebhookServer) -> None:
    server = Simulated(rbac=True)
    server.api.call_webhooks_by(WebhookClient(threading.RLock(), {}))
    answers = record_webhooks.play(server, hooks, case, CASES[case])
    for step, answer, golden in zip(CASES[case], answers, GOLDENS[case], strict=True):
        assert answer == golden, str(step)
