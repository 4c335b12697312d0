"""CPU and memory of a container, as they are compared, noted and patched."""

import pytest

from hourglass_kube.types import JSON
from hourglass_operator.resources.resizable import (
    amounts,
    as_resources,
    asked_for,
    changed,
    equal,
    from_annotation,
    in_words,
    includes,
    to_annotation,
    without_resizable,
)

GIVEN = {"limits": {"memory": "4Gi", "nvidia.com/gpu": "1"}, "requests": {"cpu": "1"}}
ASKED = {"limits": {"memory": "4Gi"}, "requests": {"cpu": "1", "memory": "4Gi"}}


def test_what_is_limited_and_not_requested_is_requested_up_to_the_limit() -> None:
    assert as_resources(asked_for(GIVEN)) == ASKED
    assert asked_for({}) == ()


def test_a_note_is_read_as_it_was_written() -> None:
    assert from_annotation(to_annotation(asked_for(GIVEN))) == asked_for(GIVEN)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[" * 1024, '{"limits": 1}', '{"limits":{"cpu":"x"}}', "{}" + " " * 2000],
)
def test_a_note_that_cannot_be_read_says_nothing(text: str) -> None:
    assert from_annotation(text) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}, True),
        ({"requests": {"memory": "1Gi"}}, {"requests": {"memory": "1024Mi"}}, True),
        ({"limits": {"cpu": "1"}}, {"requests": {"cpu": "1"}}, False),
        ({"limits": {"cpu": "1"}}, {}, False),
    ],
)
def test_amounts_are_compared_however_they_are_written(one: JSON, other: JSON, same: bool) -> None:
    assert equal(amounts(one), amounts(other)) is same


def test_what_others_have_added_does_not_count() -> None:
    assert includes(amounts(ASKED), amounts({"requests": {"cpu": "1"}}))
    assert not includes(amounts({"requests": {"cpu": "1"}}), amounts(ASKED))


def test_what_differs_is_named_as_variables_name_it() -> None:
    after = {"limits": {"memory": "8Gi"}, "requests": {"cpu": "1"}}
    assert changed(amounts(ASKED), amounts(after)) == {"limits.memory", "requests.memory"}


def test_what_cannot_be_resized_stays() -> None:
    claims = {"claims": [{"name": "gpu"}]}
    assert without_resizable({**GIVEN, **claims}) == {
        "limits": {"nvidia.com/gpu": "1"},
        "requests": {},
        **claims,
    }


@pytest.mark.parametrize(
    ("resources", "words"),
    [(ASKED, "requests cpu 1, memory 4Gi; limits memory 4Gi"), ({}, "no cpu or memory")],
)
def test_people_read_it(resources: JSON, words: str) -> None:
    assert in_words(amounts(resources)) == words
