"""What comes over the wire in JSON, YAML and protobuf, and what is refused, as on a real server."""

import base64
import json
import lzma
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from simulated_wire import SimulatedWire

from goldens import record_wire
from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import DEFAULT
from hourglass_simulator.protobuf import envelope

CASES = record_wire.load()
GOLDENS: dict[str, list[Any]] = json.loads(record_wire.GOLDEN.read_text())
OTHERWISE: dict[str, tuple[str, tuple[int, ...]]] = {
    "JSON that is none": ("messages quote the object in another order or form", (69,)),
    "YAML that is none": ("the words of another YAML parser", (1, 7, 20)),
    "documents": ("empty strings in protobuf", (6, 18)),
    "metadata of another type": (
        "messages quote the patched object with other versions",
        (47, 48, 55),
    ),
    "patches of another type": (
        "directives that are no texts; what is deleted from a list is not compared with it; a patch"
        " that takes the kind away is refused in other words",
        (8, 12, 20, 22, 24, 37, 46, 55),
    ),
}
"""What is answered otherwise, and why."""


def test_every_request_is_recorded() -> None:
    recorded = {name: len(answers) for name, answers in GOLDENS.items()}
    assert {name: len(steps) for name, steps in CASES.items()} == recorded


@cache
def answers(name: str) -> list[Any]:
    server = SimulatedWire()
    record_wire.prepare(server)
    return record_wire.play(server, CASES[name])


def cases() -> Iterator[Any]:
    for name, steps in CASES.items():
        reason, otherwise = OTHERWISE.get(name, ("", ()))
        for number, step in enumerate(steps):
            marks = [pytest.mark.xfail(reason=reason)] if number in otherwise else []
            what = f"{step.method} {step.path} {dict(step.headers)} {step.body!r:.60}"
            yield pytest.param(name, number, marks=marks, id=f"{name} {number}: {what}"[:150])


@pytest.mark.parametrize(("name", "number"), list(cases()))
def test_as_on_a_real_server(name: str, number: int) -> None:
    assert answers(name)[number] == GOLDENS[name][number], CASES[name][number]


OBJECTS: list[tuple[JSON, str]] = json.loads(lzma.decompress(record_wire.OBJECTS.read_bytes()))
_UNKNOWN = pytest.mark.xfail(reason="its Go type is not recorded")


def objects() -> Iterator[Any]:
    for number, (obj, recorded) in enumerate(OBJECTS):
        marks = [_UNKNOWN] if obj["kind"] == "TokenRequest" else []
        yield pytest.param(obj, recorded, id=f"{number} {obj['kind']}", marks=marks)


@pytest.mark.parametrize(("obj", "recorded"), list(objects()))
def test_an_object_in_protobuf_is_the_recorded_one_byte_for_byte(obj: JSON, recorded: str) -> None:
    data = base64.b64decode(recorded)
    assert envelope.encode(DEFAULT, obj) == data
    read = envelope.decode(DEFAULT, envelope.opened(data))
    assert read is not None
    assert envelope.encode(DEFAULT, read) == data
    assert _without_empty(read) == _without_empty(obj)


def _without_empty(value: Any) -> Any:
    """What is left when nothing is printed that is empty, nor the kind of an object in another."""
    if isinstance(value, dict):
        kind = ("kind", "apiVersion") if "metadata" in value else ()
        found = {name: _without_empty(each) for name, each in value.items() if name not in kind}
        return {name: each for name, each in found.items() if each not in (None, "", 0, {}, [])}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value
