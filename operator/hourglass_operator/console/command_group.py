"""A group of commands whose exit codes are answers: an error of the program's own is none."""

import errno
import sys
import traceback
from pathlib import Path
from typing import Any

import click

OWN_ERROR = 3
"""The exit code for an error of the program's own; what pipelines read as answers is 0 and 1."""


class CommandGroup(click.Group):
    """Ends with exit code 3 and one line on standard error where a command fails unforeseen."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            # A reader that goes away, such as head, is no error; click deals with it.
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            during = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
            click.echo(
                f"{ctx.info_name}: an error of the program itself, not an answer: "
                f"{type(error).__name__} at {where}: {error}{during}",
                err=True,
            )
            sys.exit(OWN_ERROR)
