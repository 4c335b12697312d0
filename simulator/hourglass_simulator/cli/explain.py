"""`hourglass-sim explain`."""

import shutil
import textwrap
from pathlib import Path

import click

from hourglass_kube.text import harmless
from hourglass_simulator.cli.input import scenarios
from hourglass_simulator.cli.parts import Parts, pass_parts
from hourglass_simulator.scenario import explain as description

_WIDEST = 100


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@pass_parts
def explain(parts: Parts, scenario: Path) -> None:
    """Say in words what a scenario does and what it expects, without playing it.

    \b
    Example:
      hourglass-sim explain scenarios/first-performer.yaml
    """
    width = min(shutil.get_terminal_size((_WIDEST, 0)).columns, _WIDEST)
    texts = [description(file.scenario) for file in scenarios(parts, [scenario])]
    for text in texts:
        click.echo("\n".join(_wrap(harmless(line), width) for line in text.splitlines()))


def _wrap(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip(" -")))
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
