"""--hardware-catalogue, for commands that judge nodes as the operator does."""

from pathlib import Path

import click

from hourglass_operator.hardware.catalogue import Catalogue, load

FLAG, VARIABLE = "--hardware-catalogue", "HOURGLASS_HARDWARE_CATALOGUE"
HELP = "The file that extends the operator's hardware catalogue, if one does."


def _read(_context: click.Context, _parameter: click.Parameter, file: Path | None) -> Catalogue:
    if file is None:
        return load()
    try:
        return load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise click.BadParameter(f"{file}: {error}") from None


catalogue_option = click.option(
    FLAG,
    "catalogue",
    type=click.Path(path_type=Path),
    callback=_read,
    envvar=VARIABLE,
    metavar="FILE",
    help=HELP,
)
"""Gives the catalogue; the built-in one without the flag."""
