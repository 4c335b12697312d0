"""`hourglass-sim snapshot`."""

from pathlib import Path

import click

from hourglass_kube.dumper import as_yaml
from hourglass_operator.console.command_group import CommandGroup
from hourglass_simulator.cli.running import RunningError, call, kubeconfig_option


@click.group(cls=CommandGroup)
def snapshot() -> None:
    """Save the cluster that `serve` runs.

    \b
    Examples:
      hourglass-sim snapshot save cluster.yaml
      hourglass-sim serve --cluster cluster.yaml
      hourglass-sim check performer.yaml --cluster cluster.yaml
    """


@snapshot.command("save")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@kubeconfig_option
def save(file: Path, kubeconfig: Path | None) -> None:
    """Write every object into a file, as `kubectl get -o yaml` prints them.

    Left out are Events, managedFields and the values of Secrets. What of it `serve --cluster` and
    `check --cluster` load, they say.
    """
    found = call(kubeconfig, "GET", "snapshot")
    try:
        file.write_text(as_yaml(found), encoding="utf-8")
    except OSError as error:
        raise RunningError(f"{file}: {error.strerror}") from error
    click.echo(f"{len(found['items'])} objects in {file}")
