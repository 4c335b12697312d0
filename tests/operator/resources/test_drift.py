"""How a field that differs is named, and whether an object still has it otherwise."""

from typing import Any

import pytest

from hourglass_operator.resources.drift import Drift, Path, words

FIELDS: list[tuple[Path, str]] = [
    (("metadata", "labels", "app.kubernetes.io/name"), "metadata.labels[app.kubernetes.io/name]"),
    (("metadata", "ownerReferences"), "metadata.ownerReferences"),
    (("spec", "selector", "app"), "spec.selector[app]"),
    (("spec", "ports", 0, "appProtocol"), "spec.ports[0].appProtocol"),
]


@pytest.mark.parametrize(("path", "field"), FIELDS, ids=[field for _, field in FIELDS])
def test_a_field_is_written_as_people_do(path: Path, field: str) -> None:
    assert Drift(path, "", "").field == field


WORDS = [
    (None, "nothing"),
    ("", "nothing"),
    (9090, "9090"),
    ([{"kind": "Performer", "name": "ml"}, {"name": "grpc"}], "Performer ml, grpc"),
]


@pytest.mark.parametrize(("value", "said"), WORDS, ids=[said for _, said in WORDS])
def test_a_value_for_a_person(value: Any, said: str) -> None:
    assert words(value) == said


PORT = Drift(("spec", "ports", 0, "appProtocol"), "grpc", "kubernetes.io/h2c")
OBJECTS: list[tuple[str, Any, bool]] = [
    ("still has it otherwise", {"spec": {"ports": [{"appProtocol": "grpc"}]}}, True),
    ("has it otherwise again", {"spec": {"ports": [{"appProtocol": "http"}]}}, True),
    ("has nothing there", {"spec": {"ports": []}}, True),
    ("is another kind of thing there", {"spec": "?"}, True),
    ("is repaired", {"spec": {"ports": [{"appProtocol": "kubernetes.io/h2c"}]}}, False),
]


@pytest.mark.parametrize(("obj", "persists"), [o[1:] for o in OBJECTS], ids=[o[0] for o in OBJECTS])
def test_an_object(obj: Any, persists: bool) -> None:
    assert PORT.persists_in(obj) is persists
