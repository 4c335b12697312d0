"""Manifests of scenarios are applied as kubectl does it: with strict field validation."""

from collections.abc import Callable

import pytest

from builders import performer
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario.backend import RefusedError

WAYS: list[tuple[str, Callable[[SimulatedBackend], Callable[[dict[str, object]], None]]]] = [
    ("applied", lambda backend: backend.apply),
    ("created", lambda backend: backend.create),
]


@pytest.mark.parametrize("way", [way[1] for way in WAYS], ids=[way[0] for way in WAYS])
def test_a_misspelt_field_is_refused(
    way: Callable[[SimulatedBackend], Callable[[dict[str, object]], None]],
) -> None:
    backend = SimulatedBackend()
    manifest = performer("ml").build()
    wanted = {key: manifest[key] for key in ("apiVersion", "kind", "spec")}
    wanted |= {"metadata": {"name": "ml"}}
    wanted["spec"] |= {"hardwareRequirements": {"gputype": "nvidia-a100"}}
    with pytest.raises(RefusedError, match=r'unknown field "spec\.hardwareRequirements\.gputype"'):
        way(backend)(wanted)
    assert backend.cluster.api.list("performers").items == []
