"""Where output goes: colour only on a terminal (NO_COLOR is honoured), no wrapping in a pipe."""

import sys
from typing import IO

from rich.console import Console

_PIPE_WIDTH = 200


def console(stream: IO[str] | None = None) -> Console:
    """A console on a stream, by default standard output."""
    stream = stream or sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False)
