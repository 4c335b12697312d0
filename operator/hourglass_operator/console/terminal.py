"""Tables and lines for people; the one way for texts of a cluster or a file to a terminal.

Colour only on a terminal (NO_COLOR is honoured). COLUMNS is the width wherever it is set; in a pipe
lines are broken at 200 characters otherwise, and never end with spaces.
"""

import os
import re
import sys
from typing import IO, Any, cast

from rich.console import Console
from rich.text import Text

from hourglass_kube.text import harmless

_PIPE_WIDTH = 200
_PADDING = re.compile(r" +(?=\n)")


class Terminal(Console):
    """A console for plain texts: every one is printed as it is, made harmless.

    Texts with a style are made by `styled`.
    """

    def __init__(self, stream: IO[str] | None = None, width: int | None = None) -> None:
        """On a stream, by default standard output."""
        stream = stream or sys.stdout
        given = width is not None or os.environ.get("COLUMNS", "").isdigit()
        self.is_endless = not stream.isatty() and not given
        """A pipe: nothing is gained there by breaking or cutting lines."""
        if not stream.isatty():
            stream = cast("IO[str]", _Unpadded(stream))
        width = _PIPE_WIDTH if self.is_endless else width
        super().__init__(file=stream, width=width, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Rich calls this for each text that is printed, also in tables."""
        return super().render_str(harmless(text), **options)


class _Unpadded:
    """A stream that leaves out the spaces with which Rich fills the last column of a table."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_PADDING.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def styled(text: str, style: str = "") -> Text:
    """A text with a style."""
    return Text(harmless(text), style)
