"""The controllers do what a real kube-controller-manager did, step by step."""

from functools import cache

import pytest
from simulated_controllers import SimulatedControllers

from goldens import newer, record_controllers
from goldens.record_controllers import Snapshot
from hourglass_simulator.kubernetes.version import version

CASES = record_controllers.load()
GOLDENS: dict[str, dict[str, list[Snapshot]]] = {
    kubernetes: newer.whole(record_controllers.GOLDEN, kubernetes)
    for kubernetes in newer.recorded(record_controllers.GOLDEN)
}


@cache
def _played(kubernetes: str) -> dict[str, list[Snapshot]]:
    return record_controllers.play(SimulatedControllers(version(kubernetes)), CASES)


def test_every_sequence_is_recorded() -> None:
    for goldens in GOLDENS.values():
        recorded = {name: len(steps) for name, steps in goldens.items()}
        assert {name: len(steps) for name, steps in CASES.items()} == recorded


@pytest.mark.parametrize("kubernetes", GOLDENS)
@pytest.mark.parametrize("name", CASES)
def test_as_in_a_real_cluster(kubernetes: str, name: str) -> None:
    found, goldens = _played(kubernetes)[name], GOLDENS[kubernetes][name]
    for number, (step, golden) in enumerate(zip(found, goldens, strict=True), 1):
        assert step == golden, f"step {number}: {CASES[name][number - 1]}"
