"""`hourglass-sim hardware`."""

from pathlib import Path

import click

from hourglass_operator.console.catalogue import catalogue_option
from hourglass_operator.console.data import print_data
from hourglass_operator.console.terminal import Terminal
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.plugin import hardware
from hourglass_simulator.cli import snapshot_file


@click.command("hardware")
@click.option(
    "--cluster",
    "snapshot",
    type=click.Path(path_type=Path),
    help="What kubectl printed of a cluster: what it has, used and free.",
)
@catalogue_option
@click.option("-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table")
def hardware_command(snapshot: Path | None, catalogue: Catalogue, output: str) -> None:
    """List the hardware catalogue, or the GPUs and TEEs of a cluster by its names.

    \b
    Examples:
      hourglass-sim hardware
      hourglass-sim hardware --cluster cluster.json
      hourglass-sim hardware -o json | jq -r '.[].names[]'
    """
    shown = Terminal()
    if snapshot is None:
        names = hardware.listed(catalogue)
        if output != "table":
            return print_data(names, output)
        lines = hardware.table_of_names(names)
    else:
        read = snapshot_file.read(snapshot).objects
        nodes = (item for item in read if item["kind"] == "Node")
        pods = (item for item in read if item["kind"] == "Pod")
        found = hardware.offers(nodes, pods, catalogue)
        if output != "table":
            return print_data([each.to_json() for each in found], output)
        lines = hardware.table(found)
    for line in lines:
        shown.print(line, soft_wrap=True)
    return None
