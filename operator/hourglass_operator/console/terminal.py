"""Tables and lines for people; the one way for texts of a cluster or a file to a terminal.

Colour only on a terminal (NO_COLOR is honoured), no wrapping in a pipe.
"""

import sys
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from hourglass_kube.text import harmless

_PIPE_WIDTH = 200


class Terminal(Console):
    """A console for plain texts: every one is printed as it is, made harmless.

    Texts with a style are made by `styled`.
    """

    def __init__(self, stream: IO[str] | None = None) -> None:
        """On a stream, by default standard output."""
        stream = stream or sys.stdout
        width = None if stream.isatty() else _PIPE_WIDTH
        super().__init__(file=stream, width=width, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Rich calls this for each text that is printed, also in tables."""
        return super().render_str(harmless(text), **options)


def styled(text: str, style: str = "") -> Text:
    """A text with a style."""
    return Text(harmless(text), style)
