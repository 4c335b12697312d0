"""What reaches a terminal of texts that others have written."""

from io import StringIO

import pytest
from rich.table import Table

from hourglass_operator.console.line import print_line
from hourglass_operator.console.terminal import Terminal, styled

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202e\nINFO all is well"
SHOWN = r"\x1b]0;owned\x07\x1b[2J\u202e\nINFO all is well"


def test_plain_texts() -> None:
    stream = StringIO()
    Terminal(stream).print(HOSTILE, soft_wrap=True)
    assert stream.getvalue() == SHOWN + "\n"


def test_cells_of_tables() -> None:
    stream = StringIO()
    table = Table("MESSAGE", box=None, pad_edge=False)
    table.add_row(HOSTILE)
    table.add_row(styled(HOSTILE, "red"))
    Terminal(stream).print(table)
    # Without the spaces that would fill the column.
    assert stream.getvalue().splitlines() == ["MESSAGE", SHOWN, SHOWN]


@pytest.mark.parametrize(
    ("columns", "lines"),
    [("", ["A" * 90 + " B"]), ("80", ["A" * 80, "A" * 10 + " B"])],
    ids=["a pipe is wide", "COLUMNS is heeded"],
)
def test_lines_in_a_pipe(columns: str, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    stream = StringIO()
    Terminal(stream).print("A" * 90 + " B")
    assert stream.getvalue().splitlines() == lines


def test_words_that_look_like_markup_are_printed() -> None:
    stream = StringIO()
    Terminal(stream).print("[red]:warning:[/red] exit code 1", soft_wrap=True)
    assert stream.getvalue() == "[red]:warning:[/red] exit code 1\n"


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_line(HOSTILE)
    print_line("fine", err=False)
    assert capsys.readouterr() == ("fine\n", SHOWN + "\n")
