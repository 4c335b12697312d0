"""The simulator answers to every recorded call as the real API server did, letter by letter."""

import json
from typing import Any

import pytest
from ruamel.yaml import YAML
from simulated_server import SimulatedServer

from goldens.record_apiserver import CRD, GOLDEN, load, namespace_of, play
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock

SETUP, CASES = load()
ANSWERS: dict[str, list[Any]] = json.loads(GOLDEN.read_text())
DEFINITION = YAML(typ="safe").load(CRD)


def test_every_case_is_recorded() -> None:
    assert ANSWERS.keys() == CASES.keys(), "run tests/goldens/record_apiserver.py"


@pytest.mark.parametrize("name", CASES)
def test_answers_as_the_real_server_does(name: str) -> None:
    api = APIServer(Clock())
    api.create("customresourcedefinitions", DEFINITION)
    server = SimulatedServer(api)
    for call in SETUP:
        assert server.call(call).code == 201
    namespace = namespace_of(name)
    api.create("namespaces", {"metadata": {"name": namespace}})
    answers = play(server, CASES[name], namespace)
    for call, answer, expected in zip(CASES[name], answers, ANSWERS[name], strict=True):
        assert answer == expected, f"{call.method} {call.path} {call.body}"
