"""The laws of sets of fields, and the forms in which they are stored."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_simulator.apiserver.managedfields import fieldpath, fieldset
from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet

PATHS = st.sets(
    st.lists(st.sampled_from(["f:a", "f:b", 'k:{"n":"x"}', "v:1"]), min_size=1, max_size=3).map(
        tuple
    ),
    max_size=6,
)


def made(paths: set[tuple[str, ...]]) -> FieldSet:
    fields: FieldSet = {}
    for path in sorted(paths):
        fieldset.insert(fields, path)
    return fields


def members(fields: FieldSet) -> set[tuple[str, ...]]:
    return set(fieldset.paths(fields))


@given(PATHS)
def test_a_set_has_the_paths_that_it_is_made_of(paths: set[tuple[str, ...]]) -> None:
    assert members(made(paths)) == paths
    assert all(fieldset.has(made(paths), path) for path in paths)


@given(PATHS, PATHS)
def test_the_operations_are_those_of_sets(
    one: set[tuple[str, ...]], other: set[tuple[str, ...]]
) -> None:
    left, right = made(one), made(other)
    assert members(fieldset.union(left, right)) == one | other
    assert members(fieldset.intersection(left, right)) == one & other
    assert members(fieldset.difference(left, right)) == one - other


@given(PATHS, PATHS)
def test_a_recursive_difference_takes_what_is_below_too(
    one: set[tuple[str, ...]], other: set[tuple[str, ...]]
) -> None:
    left = members(fieldset.recursive_difference(made(one), made(other)))
    assert left == {p for p in one if not any(p[:n] in other for n in range(1, len(p) + 1))}


@given(PATHS, PATHS)
def test_nothing_is_changed_in_place(
    one: set[tuple[str, ...]], other: set[tuple[str, ...]]
) -> None:
    left, right = made(one), made(other)
    before = repr((left, right))
    for operation in (fieldset.union, fieldset.intersection, fieldset.difference):
        operation(left, right)
    assert repr((left, right)) == before


@given(PATHS)
def test_what_is_stored_is_read_as_it_was(paths: set[tuple[str, ...]]) -> None:
    assert fieldset.decoded(made(paths)) == made(paths)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        pytest.param({"f:a": {".": {}}}, {"f:a": {}}, id="a member with nothing below it"),
        pytest.param({'k:{ "b":1, "a":"x"}': {}}, {'k:{"a":"x","b":1}': {}}, id="keys in order"),
        pytest.param({"v:1.0": {}}, {"v:1": {}}, id="a number that is whole"),
        pytest.param({"x:y": {}, "f:a": {}}, {"f:a": {}}, id="an element of an unknown type"),
    ],
)
def test_sets_of_clients_get_one_form(sent: Any, stored: FieldSet) -> None:
    assert fieldset.decoded(sent) == stored


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ([1], "expected an object, found list"),
        ({"x": {}}, "key must be 2 characters long"),
        ({"fa": {}}, "missing colon: fa"),
        ({"f:a": 5}, "expected an object, found int"),
        ({"k:[]": {}}, "expected keys"),
        ({"v:": {}}, "Expecting value"),
    ],
)
def test_what_is_no_set_is_refused(sent: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        fieldset.decoded(sent)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("f:spec", "f:replicas"), ".spec.replicas"),
        (("f:ports", 'k:{"port":80,"protocol":"TCP"}'), '.ports[port=80,protocol="TCP"]'),
        (("f:finalizers", 'v:"a.b/c"'), '.finalizers[="a.b/c"]'),
        (("f:args", "i:2"), ".args[2]"),
        (("v:true", "v:null"), "[=true][=null]"),
    ],
)
def test_paths_in_messages(path: tuple[str, ...], shown: str) -> None:
    assert fieldpath.shown(path) == shown
