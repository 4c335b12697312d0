"""`hourglass-sim fault`."""

from pathlib import Path
from typing import Any

import click
import yaml

from hourglass_kube.loader import SafeLoader
from hourglass_simulator.cli.faults import show_table
from hourglass_simulator.cli.parts import Parts, pass_parts
from hourglass_simulator.cli.running import call, kubeconfig_option


@click.command("fault")
@click.argument("name", required=False)
@click.argument("parameters", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--list", "listed", is_flag=True, help="List the faults with their parameters.")
@click.option("--active", is_flag=True, help="List the faults that last now.")
@click.option("--heal", metavar="NAME", help="End every fault of this name.")
@click.option("--user", help="Whose calls and watches it strikes; else the kubeconfig's user.")
@kubeconfig_option
@pass_parts
def fault(
    parts: Parts,
    name: str | None,
    parameters: tuple[str, ...],
    listed: bool,
    active: bool,
    heal: str | None,
    user: str | None,
    kubeconfig: Path | None,
) -> None:
    """Inject a fault into the cluster that `serve` runs, and end it.

    Names and parameters are those of scenarios (docs/faults.md); values are YAML. Faults of calls
    and watches strike those of one user, and all programs that have his kubeconfig. Those that
    end, start or slow down the operator itself are for scenarios only: end its process instead.

    \b
    Examples:
      hourglass-sim fault --list
      hourglass-sim fault node-lost node=gpu-1
      hourglass-sim fault --heal node-lost
      hourglass-sim fault crash-loop image=registry.example.com/worker:v2
      hourglass-sim fault api-error code=503 probability=0.5 --user bob
      hourglass-sim fault watch-expired 'resource=[pods, services]'
    """
    if sum((name is not None, listed, active, heal is not None)) != 1:
        raise click.UsageError("expected one of NAME, --list, --active and --heal NAME")
    if listed:
        show_table(parts.faults)
    elif active:
        for each in call(kubeconfig, "GET", "faults"):
            click.echo(each)
    elif heal is not None:
        call(kubeconfig, "DELETE", "faults", heal)
        click.echo(f"healed {heal}")
    else:
        assert name is not None
        given = dict(map(_parameter, parameters))
        query = {} if user is None else {"user": user}
        call(kubeconfig, "POST", "faults", name, query=query, body=given)
        click.echo(f"injected {name}; end it with: hourglass-sim fault --heal {name}")


def _parameter(text: str) -> tuple[str, Any]:
    key, equal, value = text.partition("=")
    try:
        parsed = yaml.load(value, Loader=SafeLoader)
    except yaml.YAMLError:
        equal = ""
    if not key or not equal:
        raise click.UsageError(f"expected KEY=VALUE with a value in YAML, found {text}")
    return key, parsed
