"""What comes over the wire in JSON, YAML and protobuf, and what is refused, as on a real server."""

import base64
import json
import lzma
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from simulated_wire import SimulatedWire

from goldens import newer, record_wire
from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import version
from hourglass_simulator.protobuf import envelope

CASES = record_wire.load()
GOLDENS: dict[str, dict[str, list[Any]]] = {
    kubernetes: newer.whole(record_wire.GOLDEN, kubernetes)
    for kubernetes in newer.recorded(record_wire.GOLDEN)
}
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
    for goldens in GOLDENS.values():
        recorded = {name: len(answers) for name, answers in goldens.items()}
        assert {name: len(steps) for name, steps in CASES.items()} == recorded


@cache
def answers(kubernetes: str, name: str) -> list[Any]:
    spoken = version(kubernetes)
    server = SimulatedWire(spoken)
    record_wire.prepare(server)
    return record_wire.play(server, spoken, CASES[name])


def cases() -> Iterator[Any]:
    for kubernetes in GOLDENS:
        for name, steps in CASES.items():
            reason, otherwise = OTHERWISE.get(name, ("", ()))
            for number, step in enumerate(steps):
                marks = [pytest.mark.xfail(reason=reason)] if number in otherwise else []
                what = f"{step.method} {step.path} {dict(step.headers)} {step.body!r:.60}"
                case = f"{kubernetes}: {name} {number}: {what}"[:150]
                yield pytest.param(kubernetes, name, number, marks=marks, id=case)


@pytest.mark.parametrize(("kubernetes", "name", "number"), list(cases()))
def test_as_on_a_real_server(kubernetes: str, name: str, number: int) -> None:
    golden = GOLDENS[kubernetes][name][number]
    assert answers(kubernetes, name)[number] == golden, CASES[name][number]


OBJECTS: dict[str, list[tuple[JSON, str]]] = {
    kubernetes: json.loads(
        lzma.decompress(newer.file_of(record_wire.OBJECTS, kubernetes).read_bytes())
    )
    for kubernetes in newer.recorded(record_wire.OBJECTS)
}
_UNKNOWN = pytest.mark.xfail(reason="its Go type is not recorded")


def objects() -> Iterator[Any]:
    for kubernetes, found in OBJECTS.items():
        for number, (obj, recorded) in enumerate(found):
            marks = [_UNKNOWN] if obj["kind"] == "TokenRequest" else []
            case = f"{kubernetes}: {number} {obj['kind']}"
            yield pytest.param(kubernetes, obj, recorded, id=case, marks=marks)


@pytest.mark.parametrize(("kubernetes", "obj", "recorded"), list(objects()))
def test_an_object_in_protobuf_is_the_recorded_one_byte_for_byte(
    kubernetes: str, obj: JSON, recorded: str
) -> None:
    data, spoken = base64.b64decode(recorded), version(kubernetes)
    assert envelope.encode(spoken, obj) == data
    read = envelope.decode(spoken, envelope.opened(data))
    assert read is not None
    assert envelope.encode(spoken, read) == data
    assert _without_empty(read) == _without_empty(obj)


def _without_empty(value: Any) -> Any:
    """What is left when nothing is printed that is empty, nor the kind of an object in another."""
    if isinstance(value, dict):
        kind = ("kind", "apiVersion") if "metadata" in value else ()
        found = {name: _without_empty(each) for name, each in value.items() if name not in kind}
        return {name: each for name, each in found.items() if each not in (None, "", 0, {}, [])}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value
