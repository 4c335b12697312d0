"""`hourglass-sim demo`."""

from pathlib import Path

import click

from hourglass_simulator.cli.run import run
from hourglass_simulator.cli.shipped import SHIPPED


@click.command()
@click.pass_context
def demo(context: click.Context) -> None:
    """Play the five examples of the API reference, and a GPU that fails.

    It is scenarios/demo.yaml as it comes with the package, whatever is in this folder.
    """
    context.invoke(run, paths=(SHIPPED / Path("scenarios/demo.yaml"),))
