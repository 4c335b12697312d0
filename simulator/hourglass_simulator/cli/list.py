"""`hourglass-sim list`."""

import json
from pathlib import Path

import click
from rich.table import Table

from hourglass_operator.console.terminal import Terminal
from hourglass_simulator.cli.input import scenarios
from hourglass_simulator.cli.parts import Parts, pass_parts
from hourglass_simulator.scenario import ScenarioFile


@click.command("list")
@click.argument("paths", metavar="[DIR]…", nargs=-1, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table")
@pass_parts
def list_scenarios(parts: Parts, paths: tuple[Path, ...], output: str) -> None:
    """List the scenarios below directories, by default below scenarios/: here, or of the package.

    \b
    Examples:
      hourglass-sim list
      hourglass-sim list scenarios/hardware
      hourglass-sim list -o json | jq -r '.[] | select(.portable).file'
    """
    files = scenarios(parts, paths or (Path("scenarios"),))
    if output == "json":
        click.echo(json.dumps([_row(file) for file in files], indent=2, ensure_ascii=False))
        return
    table = Table("FILE", "SCENARIO", "RUNS ON", box=None, pad_edge=False, header_style="bold")
    for file in files:
        where = "any cluster" if file.scenario.portable else "simulator"
        table.add_row(file.path, file.scenario.title, where)
    Terminal().print(table)


def _row(file: ScenarioFile) -> dict[str, object]:
    scenario = file.scenario
    return {
        "file": file.path,
        "scenario": scenario.title,
        "shows": scenario.shows,
        "steps": len(scenario.steps),
        "portable": scenario.portable,
    }
