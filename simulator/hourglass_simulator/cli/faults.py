"""`hourglass-sim faults`."""

import json
from collections.abc import Mapping

import click
from rich.table import Table

from hourglass_operator.console.terminal import Terminal
from hourglass_simulator.cli.parts import Parts, pass_parts
from hourglass_simulator.scenario.faults import FaultType


@click.command()
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table")
@pass_parts
def faults(parts: Parts, output: str) -> None:
    """List the faults that a scenario can inject, with their parameters."""
    if output == "json":
        rows = [
            {"fault": name, "doc": fault.doc, "parameters": fault.parameters.model_json_schema()}
            for name, fault in sorted(parts.faults.items())
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    show_table(parts.faults)


def show_table(faults: Mapping[str, FaultType]) -> None:
    """Print every fault, its parameters and what it does."""
    table = Table("FAULT", "PARAMETERS", "WHAT IT DOES", box=None, pad_edge=False)
    for name, fault in sorted(faults.items()):
        table.add_row(name, ", ".join(_parameters(fault)) or "none", fault.doc)
    Terminal().print(table)


def _parameters(fault: FaultType) -> list[str]:
    """Names as a scenario writes them; those in brackets may be left out."""
    return [
        name if field.is_required() else f"[{name}]"
        for name, field in (
            (field.alias or name, field) for name, field in fault.parameters.model_fields.items()
        )
    ]
