"""The state diagram in docs/ is the one of the table."""

from pathlib import Path

from hourglass_statemachine.diagram import markdown

PAGE = Path(__file__).parents[2] / "docs" / "phases.md"


def test_the_page_on_phases_is_up_to_date() -> None:
    assert PAGE.read_text() == markdown(), "run `make generate`"
