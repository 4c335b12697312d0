"""`kubectl performer hardware`."""

import asyncio

import click

from hourglass_kube.types import JSON
from hourglass_operator.cli.plugin_options import DATA, output_option
from hourglass_operator.cli.plugin_target import Target, target_options
from hourglass_operator.console.catalogue import catalogue_option
from hourglass_operator.console.data import print_data
from hourglass_operator.console.line import print_line
from hourglass_operator.console.terminal import Terminal
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.plugin import hardware
from hourglass_operator.plugin.snapshot import every
from hourglass_operator.transport.calls import Caller


@click.command("hardware")
@catalogue_option
@output_option("json", "yaml")
@target_options
def hardware_command(target: Target, catalogue: Catalogue, output: str) -> None:
    """The GPUs and TEEs of the cluster: by which names they are asked for, used and free.

    \b
    Examples:
      kubectl performer hardware
      kubectl performer hardware -o json
    """

    async def read(api: Caller) -> tuple[list[JSON], list[JSON]]:
        nodes, pods = await asyncio.gather(every(api, "nodes"), every(api, "pods"))
        return nodes or [], pods or []

    found = hardware.offers(*target.ask(read), catalogue)
    if output in DATA:
        return print_data([each.to_json() for each in found], output)
    if not found:
        return print_line("no node has a GPU or a TEE that the catalogue knows")
    for line in hardware.table(found):
        Terminal().print(line, soft_wrap=True)
    return None
