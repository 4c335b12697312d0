"""Whatever a file holds, reading it ends in a scenario or in problems with lines."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from hourglass_simulator.scenario import UnreadableError, explain, load
from hourglass_simulator.scenario.document import parse

VALID: dict[str, Any] = {
    "scenario": "s",
    "shows": "t",
    "cluster": {
        "nodes": [{"name": "a", "count": 2, "taints": ["a=b:NoSchedule"], "devices": {"g": 1}}],
        "images": {"i": {"missing": True, "pull": "5s"}},
        "priorityClasses": {"high": 1},
        "secrets": {"s": ["k"]},
    },
    "manifests": [{"apiVersion": "v1", "kind": "K", "metadata": {"name": "m"}}],
    "steps": [
        {"after": "5s", "fault": {"nodeLost": {"node": "a"}}},
        {"heal": "nodeLost"},
        {"patch": {"name": "w", "merge": {"spec": {}}}},
        {
            "eventually": {
                "within": "5s",
                "performers": {"w": {"phase": "Running", "conditions": {"Ready": "True/PodReady"}}},
                "objects": [{"resource": "pods", "has": {"a": 1}}],
                "writes": {"atMost": 1},
            }
        },
    ],
    "settles": {"performers": {"w": {"message": "/x/"}}},
}


class _NodeLost:
    doc = ""

    class parameters(BaseModel):  # noqa: N801
        node: str


FAULTS = {"nodeLost": _NodeLost()}

words = st.sampled_from(
    ["", "w", "Running", "True", "5s", "/(/", "nodeLost", "merge", "name", "performers", "[key]"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a JSON value."""
    if not isinstance(value, dict | list):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(found for key, child in inner for found in places(child, (*path, key)))]


PLACES = places(VALID)


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of the value with something else at the path."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "s.yaml"


@given(st.lists(st.tuples(st.sampled_from(PLACES), anything), max_size=2))
@example([])
@example([(("steps", 1, "heal"), [])])
@example([(("steps", 1, "heal"), [[]])])
def test_any_change_of_a_file_is_read_or_reported(
    file: Path, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    content = VALID
    for path, new in changes:
        if path in places(content):
            content = put(content, path, new)
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    lines = len(file.read_text().splitlines())
    problems = []
    try:
        assert explain(load(file, FAULTS).scenario)
    except UnreadableError as error:
        problems = error.problems
    assert changes or not problems
    assert all(0 <= problem.line <= lines and problem.text for problem in problems)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@ \n\t\x00é?<,", max_size=40))
def test_any_text_is_read_or_reported(text: str) -> None:
    with suppress(UnreadableError):
        parse(text, "f")
