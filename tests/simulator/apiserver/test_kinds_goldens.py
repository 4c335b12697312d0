"""An object of each kind, from its creation to its deletion, as on a real API server."""

from typing import Any

import pytest
from simulated_bare_server import Simulated

from goldens import newer, record_kinds
from hourglass_simulator.controllers.flowschemas import FlowSchemas
from hourglass_simulator.kubernetes.version import VERSIONS, version
from recorded_answers import agree

GOLDENS: dict[str, dict[str, dict[str, Any]]] = {
    version: newer.whole(record_kinds.GOLDEN, version) for version in VERSIONS
}
OBJECTS = record_kinds.load()


def answers(kubernetes: str, path: str) -> dict[str, Any]:
    server = Simulated(version(kubernetes), has_flow_control=True)
    FlowSchemas(server.clock, server.api, applies=False)
    server.settles = True
    return record_kinds.play(server, path, OBJECTS[path])


_CHANGES = (
    *("merge patch", "patch that changes nothing", "strategic merge patch"),
    *("list by label", "patch with unknown fields"),
)
NOT_SIMULATED: dict[str, tuple[str, tuple[str, ...]]] = {
    "apiservices": ("a controller writes their status", ("get", "list", "table", *_CHANGES)),
    "controllerrevisions": (
        "their data counts as changed by every patch",
        (*_CHANGES, "wrong type of spec", "update of what is not there"),
    ),
    "ipaddresses": ("rows of their tables have a cell more than columns", ("table",)),
}
"""What is answered otherwise, and why."""


def test_every_object_is_recorded() -> None:
    assert all(OBJECTS.keys() == found.keys() for found in GOLDENS.values()), (
        "record the kinds anew"
    )


@pytest.mark.parametrize(
    ("kubernetes", "path"),
    [
        pytest.param(kubernetes, path, id=f"{kubernetes}: {path.rpartition('/')[2]}")
        for kubernetes, goldens in GOLDENS.items()
        for path in goldens
    ],
)
def test_as_on_a_real_server(kubernetes: str, path: str) -> None:
    _, otherwise = NOT_SIMULATED.get(path.rpartition("/")[2], ("", ()))
    golden = GOLDENS[kubernetes][path]
    found = answers(kubernetes, path)
    agree({step: found[step] for step in golden}, golden, otherwise)
