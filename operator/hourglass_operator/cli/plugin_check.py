"""`kubectl performer check`: `hourglass-sim check` of the cluster that there is."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from hourglass_operator.cli.plugin_options import output_option
from hourglass_operator.cli.plugin_target import Target, target_options
from hourglass_operator.console.catalogue import FLAG, HELP, VARIABLE
from hourglass_operator.console.line import print_line
from hourglass_operator.plugin.snapshot import listed, snapshot


@click.command("check")
@click.option(
    "-f",
    "--filename",
    "filenames",
    multiple=True,
    type=click.Path(path_type=Path),
    help="YAML or JSON with Performers; several times for several. Without it: all that there are.",
)
@click.option("--without", multiple=True, metavar="NODE", help="What if this node were gone?")
@click.option("--drain", multiple=True, metavar="NODE", help="What if this node were drained?")
@click.option(FLAG, "catalogue", envvar=VARIABLE, metavar="FILE", help=HELP)
@output_option("json", "yaml")
@target_options
def check_command(
    target: Target,
    filenames: tuple[Path, ...],
    without: tuple[str, ...],
    drain: tuple[str, ...],
    catalogue: str | None,
    output: str,
) -> None:
    """Show whether and where Performers would run on this cluster, and why not.

    Nothing is written: a simulated copy of the cluster answers, as `hourglass-sim check` does.

    \b
    Examples:
      kubectl performer check -f performer.yaml
      kubectl performer check -f a.yaml -f b.yaml -o json
      kubectl performer check --drain gpu-1

    \b
    Exit codes:
      0  all would run
      1  a Performer would not; without a file: a Performer or a pod would not
      2  bad input, or nothing to check
      3  an error of the program itself: no answer
    """
    found = target.ask(snapshot)
    if found.hidden:
        print_line(f"left out, as you may not list them: {', '.join(found.hidden)}")
    options = [
        *_each("-f", map(str, filenames)),
        *_each("--without", without),
        *_each("--drain", drain),
        *([] if catalogue is None else [FLAG, catalogue]),
        *("-o", output),
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(listed(found.items), file)
        file.flush()
        done = subprocess.run(simulator("check", "--cluster", file.name, *options), check=False)
    sys.exit(done.returncode)


def simulator(*arguments: str) -> Sequence[str]:
    """The command line of `hourglass-sim`, which is installed beside this."""
    return [str(Path(sys.executable).with_name("hourglass-sim")), *arguments]


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [part for value in values for part in (option, value)]
