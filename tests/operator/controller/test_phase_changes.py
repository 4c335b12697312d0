"""How often phases may change."""

import pytest

from hourglass_operator.controller.phase_changes import CHANGES, PhaseChanges

KEY, OTHER = ("avs", "ml"), ("avs", "other")

RESTS = [
    ("no change", [], None),
    ("as many as a lost pod takes", [10.0, 11.0], None),
    ("one more", [10.0, 11.0, 12.0], 15.0),
    ("the latest count", [1.0, 10.0, 11.0, 12.0], 15.0),
    ("all at once", [10.0] * CHANGES, 15.0),
]


@pytest.mark.parametrize(("changes", "until"), [r[1:] for r in RESTS], ids=[r[0] for r in RESTS])
def test_a_phase_rests_after(changes: list[float], until: float | None) -> None:
    phases = PhaseChanges(period=5.0)
    for now in changes:
        phases.add(KEY, now)
    assert (phases.rests_until(KEY), phases.rests_until(OTHER)) == (until, None)


def test_what_was_long_ago_is_forgotten() -> None:
    phases = PhaseChanges(period=5.0)
    for _ in range(CHANGES):
        phases.add(KEY, 10.0)
    phases.add(OTHER, 15.5)
    assert phases.rests_until(KEY) is None


def test_everything_can_be_forgotten() -> None:
    phases = PhaseChanges(period=5.0)
    for _ in range(CHANGES):
        phases.add(KEY, 10.0)
    phases.clear()
    assert phases.rests_until(KEY) is None
