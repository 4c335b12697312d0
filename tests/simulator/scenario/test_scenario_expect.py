"""The comparisons that expectations are made of."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_simulator.scenario.expect import contains, difference, in_order

CONTAINS: dict[str, tuple[Any, Any, bool]] = {
    "a key that is there": ({"a": 1, "b": 2}, {"a": 1}, True),
    "a key that is missing": ({"b": 2}, {"a": 1}, False),
    "another value": ({"a": 2}, {"a": 1}, False),
    "a key deep inside": ({"a": {"b": [{"c": 1, "d": 2}]}}, {"a": {"b": [{"c": 1}]}}, True),
    "null where nothing is": ({}, {"a": None}, True),
    "null where null is": ({"a": None}, {"a": None}, True),
    "null where something is": ({"a": 0}, {"a": None}, False),
    "a list with more items": ({"a": [1, 2]}, {"a": [1]}, False),
    "a list with fewer items": ({"a": [1]}, {"a": [1, 2]}, False),
    "a list where a text is": ({"a": "x"}, {"a": ["x"]}, False),
    "keys where a text is": ({"a": "x"}, {"a": {"x": 1}}, False),
    "one is not true": ({"a": True}, {"a": 1}, False),
    "a number is not a text": ({"a": "1"}, {"a": 1}, False),
}


@pytest.mark.parametrize(("found", "part", "holds"), CONTAINS.values(), ids=CONTAINS.keys())
def test_parts_of_objects(found: Any, part: Any, holds: bool) -> None:
    assert contains(found, part) is holds


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), json.filter(lambda value: value is not None)))
def test_everything_contains_itself(value: dict[str, Any]) -> None:
    assert contains(value, value)


def test_the_first_difference_is_named_by_its_path() -> None:
    found = {"a": {"b": 1, "c": [1]}}
    assert difference(found, {"a": {"b": 1, "c": [2]}}) == "a.c is [1]"
    assert difference(found, {"a": {"d": 1}}) == "a.d is absent"
    assert difference(found, {"a": {"b": None}}) == "a.b is 1"


IN_ORDER: list[tuple[list[str], list[str], bool]] = [
    (["a", "b"], ["a", "b"], True),
    (["a"], ["a", "b"], False),
    (["a", "b"], ["a"], False),
    (["a", "..."], ["a", "b", "c"], True),
    (["a", "..."], ["a"], True),
    (["...", "c"], ["a", "b", "c"], True),
    (["...", "b"], ["a", "b", "c"], False),
    (["a", "...", "c"], ["a", "b", "b", "c"], True),
    (["a", "...", "c"], ["b", "a", "c"], False),
    (["..."], [], True),
]


@pytest.mark.parametrize(("wanted", "seen", "holds"), IN_ORDER)
def test_orders_with_gaps(wanted: list[str], seen: list[str], holds: bool) -> None:
    assert in_order(wanted, seen) is holds
