"""Columns as kubectl prints them, each with a note for the reader at the end."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from hourglass_operator.console.terminal import styled

_APART = 2
_NOTE = 32
"""Characters that a note needs beside the columns; with less room it stands below them."""


def columns(
    rows: Sequence[Sequence[Text]], notes: Sequence[str], width: int | None
) -> Iterator[Text]:
    """A line for each row, headings first; of the same number of cells, each with its note.

    No cell is ever cut. A note is cut to what is left of `width`, or to a line of its own; without
    a width it is whole.
    """
    widths = [max(row[column].cell_len for row in rows) for column in range(len(rows[0]))]
    room = None if width is None else width - sum(widths) - _APART * len(widths)
    below = room is not None and room < _NOTE and width is not None
    for number, (cells, note) in enumerate(zip(rows, notes, strict=True)):
        line = Text()
        for cell, cell_width in zip(cells, widths, strict=True):
            line.append_text(cell).append(" " * (cell_width - cell.cell_len + _APART))
        if not below:
            line.append_text(_cut(note, room))
        line.rstrip()
        yield line
        if below and note and number:
            yield Text("  ").append_text(_cut(note, (width or 0) - 2))


def _cut(note: str, room: int | None) -> Text:
    text = styled(note)
    if room is not None:
        text.truncate(max(room, 1), overflow="ellipsis")
    return text
