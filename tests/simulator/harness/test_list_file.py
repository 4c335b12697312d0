"""Lists that kubectl printed, read an item at a time."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hourglass_simulator.harness import json_list, list_file
from hourglass_simulator.harness.list_errors import ListError, NotAListError

POD = {"kind": "Pod", "metadata": {"name": "a", "labels": {"app": "x"}}, "spec": {"priority": 5}}
NODE = {"kind": "Node", "metadata": {"name": "größe"}, "status": {"ready": True, "none": None}}
LIST = {"apiVersion": "v1", "items": [POD, NODE], "kind": "List", "metadata": {"n": 1.5}}

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that values go on from one to the next."""
    monkeypatch.setattr(json_list, "_CHUNK", 7)


def items(text: str | bytes) -> Iterator[Any]:
    data = text if isinstance(text, bytes) else text.encode()
    return list_file.items(io.BytesIO(data), lambda _: None)


WRITTEN = [
    ("JSON on one line", json.dumps(LIST)),
    ("JSON as kubectl prints it", json.dumps(LIST, indent=4, ensure_ascii=False)),
    ("JSON with a byte order mark", b"\xef\xbb\xbf" + json.dumps(LIST).encode()),
    ("JSON with the items last", json.dumps({"kind": "List", "items": LIST["items"]})),
    ("YAML as kubectl prints it", yaml.safe_dump(LIST, allow_unicode=True)),
    ("YAML in flow style", yaml.safe_dump(LIST, default_flow_style=True)),
    ("YAML in JSON's braces", "{kind: List, items: " + json.dumps(LIST["items"]) + "}"),
    ("YAML with indented items", "items:\n  - " + json.dumps(POD) + "\n  - " + json.dumps(NODE)),
    (
        "YAML with aliases and a merge",
        "labels: &labels {app: x}\n"
        "items:\n"
        "- {kind: Pod, metadata: {labels: *labels, name: a}, spec: &spec {priority: 5}}\n"
        "- kind: Node\n"
        "  metadata: &meta {name: größe}\n"
        "  status: {<<: {none: null, ready: false}, ready: !!bool true}\n",
    ),
]


@pytest.mark.parametrize("text", [w[1] for w in WRITTEN], ids=[w[0] for w in WRITTEN])
def test_items_are_read(text: str | bytes) -> None:
    assert list(items(text)) == LIST["items"]


@settings(max_examples=30)
@given(st.lists(VALUES))
def test_whatever_is_written_as_json_is_read(values: list[Any]) -> None:
    assert list(items(json.dumps({"a": 1, "items": values, "z": values}))) == values


@settings(max_examples=30)
@given(st.lists(VALUES))
def test_whatever_is_written_as_yaml_is_read_as_yaml_reads_it(values: list[Any]) -> None:
    text = yaml.safe_dump({"items": values}, default_flow_style=False)
    assert list(items(text)) == yaml.safe_load(text)["items"]


MEANT = [
    ("a date", "2026-01-01", "2026-01-01"),
    ("an address without quotes", "0x" + 40 * "f", "0x" + 40 * "f"),
    ("a number", "12", 12),
    ("a number in quotes", "'12'", "12"),
    ("nothing", "", None),
]


@pytest.mark.parametrize(("text", "value"), [m[1:] for m in MEANT], ids=[m[0] for m in MEANT])
def test_yaml_is_read_as_kubernetes_reads_it(text: str, value: object) -> None:
    assert list(items(f"items:\n- {text}\n")) == [value]


NO_LISTS = [
    ("one object", "kind: Pod"),
    ("one object in JSON", '{"kind": "Pod"}'),
    ("items that are none", "items: 3"),
    ("items that are none in JSON", '{"items": {}}'),
    ("an array", "[]"),
    ("nothing", ""),
    ("a text", "hello"),
]


@pytest.mark.parametrize("text", [n[1] for n in NO_LISTS], ids=[n[0] for n in NO_LISTS])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(NotAListError):
        list(items(text))


DEEP = 20_000
BROKEN = [
    ("JSON that ends too early", '{"items": [\n{"a": 1},\n', 3, "not JSON: expecting value"),
    ("JSON with a comma too many", '{"items": [\n1,\n]}', 3, "not JSON: expecting value"),
    ("JSON without a comma", '{"items": [1\n2]}', 2, "not JSON: expected , or ]"),
    ("JSON without a colon", '{"items" [1]}', 1, "not JSON: expected :"),
    ("JSON with more behind it", '{"items": []}\n{}', 2, "not JSON: expected nothing more"),
    ("JSON with NaN", '{"items": [\nNaN]}', 2, "not JSON: NaN is no number in JSON"),
    ("JSON without end", '{"items": ' + "[" * DEEP, 1, "not JSON: nested too deeply"),
    ("YAML that ends too early", "items:\n- {a: 1", 3, "not YAML: did not find expected ','"),
    ("YAML with a key twice", "items:\n- a: 1\n  a: 2", 3, "the key a occurs twice"),
    ("YAML with a key that is none", "items:\n- 1: 1", 2, "a key must be a text, found 1"),
    ("YAML with two documents", "items: []\n---\nitems: []", 2, "expected a single document"),
    ("YAML with an alias of nothing", "items: [\n*a]", 2, "no value is anchored as a"),
    ("YAML without end", "items:\n- " + "[" * 100, 2, "nested more than 64 levels deep"),
    (
        "YAML whose aliases expand to very much",
        "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"a{n + 1}: &a{n + 1} [{','.join([f'*a{n}'] * 9)}]\n" for n in range(9)),
        6,
        "holds too much once its aliases (*name) are expanded",
    ),
    ("YAML with a control character", "items:\n- \x01", 1, "not YAML: "),
]


@pytest.mark.parametrize(
    ("text", "line", "says"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_what_is_broken_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ListError) as refused:
        list(items(text))
    assert str(refused.value).startswith(says)
    assert refused.value.line == line


@pytest.mark.parametrize("text", ['{"items": [1, %', "items:\n- 1\n- 2\n- %"], ids=["JSON", "YAML"])
def test_an_item_is_there_before_the_next_is_read(text: str) -> None:
    assert next(items(text)) == 1


def test_progress_is_in_bytes() -> None:
    text = json.dumps(LIST).encode()
    seen: list[int] = []
    list(list_file.items(io.BytesIO(text), seen.append))
    assert seen[-1] == len(text)
