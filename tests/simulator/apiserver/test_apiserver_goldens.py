"""The simulator answers to every recorded call as the real API server did, letter by letter."""

from typing import Any

import pytest
from ruamel.yaml import YAML
from simulated_server import SimulatedServer

from goldens import newer
from goldens.record_apiserver import CRD, GOLDEN, load, namespace_of, play
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import ResourceQuotaController
from hourglass_simulator.kubernetes.version import VERSIONS, version

SETUP, CASES = load()
ANSWERS: dict[str, dict[str, list[Any]]] = {
    version: newer.whole(GOLDEN, version) for version in VERSIONS
}
DEFINITION = YAML(typ="safe").load(CRD)


def test_every_case_is_recorded() -> None:
    assert all(found.keys() == CASES.keys() for found in ANSWERS.values()), "record the calls anew"


@pytest.mark.parametrize(
    ("name", "kubernetes"),
    [
        pytest.param(name, kubernetes, id=f"{kubernetes}: {name}")
        for kubernetes in VERSIONS
        for name in CASES
    ],
)
def test_answers_as_the_real_server_does(name: str, kubernetes: str) -> None:
    api = APIServer(Clock(), version(kubernetes))
    ResourceQuotaController(api.clock, api)
    api.create("customresourcedefinitions", DEFINITION)
    server = SimulatedServer(api)
    for call in SETUP:
        assert server.call(call).code == 201
    namespace = namespace_of(name)
    api.create("namespaces", {"metadata": {"name": namespace}})
    answers = play(server, CASES[name], namespace)
    for call, answer, expected in zip(CASES[name], answers, ANSWERS[kubernetes][name], strict=True):
        assert answer == expected, f"{call.method} {call.path} {call.body}"
