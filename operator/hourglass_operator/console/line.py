"""A line for people, harmless whatever it repeats of a cluster or a file."""

import click

from hourglass_kube.text import harmless


def print_line(text: str, *, err: bool = True) -> None:
    """Print a line, by default on standard error."""
    click.echo(harmless(text), err=err)
