import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_simulator.scenario import duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("1m0.5s", 60.5)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert duration.parse(text) == seconds


@pytest.mark.parametrize("bad", ["", "30", "s", "5 m", "-5s", "1d", "5m\n", 30, None, True, []])
def test_what_is_no_duration_is_refused_with_the_expected_form(bad: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; write it as 30s, 5m or 1h30m"):
        duration.parse(bad)


@given(st.integers(0, 10**9))
def test_what_is_written_reads_the_same(milliseconds: int) -> None:
    assert duration.parse(duration.text(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)
