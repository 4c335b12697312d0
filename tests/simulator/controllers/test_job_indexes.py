"""Completion indexes of Jobs as their status writes them."""

from hypothesis import given
from hypothesis import strategies as st

from hourglass_simulator.controllers import job_indexes


@given(st.sets(st.integers(0, 40)))
def test_what_is_printed_is_parsed(numbers: set[int]) -> None:
    assert job_indexes.parse(job_indexes.printed(numbers), 41) == numbers


def test_two_in_a_row_are_not_a_range() -> None:
    assert job_indexes.printed({0, 1, 3, 4, 5, 7}) == "0,1,3-5,7"


def test_indexes_beyond_the_completions_are_left_out() -> None:
    assert job_indexes.parse("0,3-9", 5) == {0, 3, 4}


@given(st.sets(st.integers(0, 10)), st.integers(0, 12))
def test_pending_indexes_are_free_and_the_first(taken: set[int], count: int) -> None:
    found = job_indexes.pending(count, 10, taken)
    assert found == [number for number in range(10) if number not in taken][:count]
