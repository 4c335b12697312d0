"""When a process may write, and for how long."""

import pytest

from hourglass_operator.runtime.leadership.may_write import AlwaysLeading, MayWrite


class Leads:
    """Leads for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def remaining(self) -> float:
        return self._seconds


CASES = [
    ("it leads and knows the cluster", Leads(7.0), True, 7.0),
    ("it leads and does not know the cluster", Leads(7.0), False, 0.0),
    ("another one leads", Leads(0.0), True, 0.0),
    ("there is no election", AlwaysLeading(), True, float("inf")),
]


@pytest.mark.parametrize(
    ("leadership", "synced", "seconds"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_it_may_write_for(leadership: Leads | AlwaysLeading, synced: bool, seconds: float) -> None:
    assert MayWrite(leadership, lambda: synced).seconds() == seconds
