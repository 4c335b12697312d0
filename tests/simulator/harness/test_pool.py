"""Parts of objects that are equal are the same."""

from typing import Any

import pytest

from hourglass_simulator.harness.pool import Pool

SHARED = [
    ("objects", {"a": [{"x": 1}]}, {"b": [{"x": 1}]}, True),
    ("true and one", [{"x": 1}], [{"x": True}], False),
    ("a whole number and a fraction", [{"x": 1}], [{"x": 1.0}], False),
    ("nothing in brackets and in braces", [[[]]], [[{}]], False),
    ("other keys", [{"x": 1}], [{"y": 1}], False),
    ("keys in another order", [{"x": 1, "y": 1}], [{"y": 1, "x": 1}], False),
]


@pytest.mark.parametrize(
    ("one", "other", "same"), [s[1:] for s in SHARED], ids=[s[0] for s in SHARED]
)
def test_only_what_is_the_same_is_shared(one: object, other: object, same: bool) -> None:
    pool = Pool()
    first, second = pool.add(one), pool.add(other)
    assert (first, second) == (one, other)
    assert (_inner(first) is _inner(second)) == same


def test_nulls_are_left_out() -> None:
    assert Pool().add({"a": None, "b": {"c": None}, "d": [1, None]}) == {"b": {}, "d": [1, None]}


def _inner(value: Any) -> object:
    return next(iter(value.values() if isinstance(value, dict) else value))
