"""`hourglass-sim snapshot`."""

from pathlib import Path

import click

from hourglass_kube.dumper import as_yaml
from hourglass_operator.cli.plugin_target import Target
from hourglass_operator.console.command_group import CommandGroup
from hourglass_operator.console.data import print_data
from hourglass_operator.console.line import print_line
from hourglass_operator.plugin.anonymous import anonymous
from hourglass_operator.plugin.masking import masked
from hourglass_operator.plugin.snapshot import listed
from hourglass_operator.plugin.snapshot import snapshot as read_cluster
from hourglass_simulator.cli.running import RunningError, call, kubeconfig_option


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.option("--anonymize", is_flag=True, help="By other names, without messages and commands.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file.")
@click.option("--context", "chosen", help="Context of the kubeconfig.")
@click.pass_context
def snapshot(
    context: click.Context, anonymize: bool, kubeconfig: Path | None, chosen: str | None
) -> None:
    """Print what `check` needs to know of the cluster of the current context, as JSON.

    Secrets, ConfigMaps and Events are not read, and values of environment variables are masked.
    With --anonymize nodes, namespaces, objects and images have other names, so that it can be shown
    to others; values of labels stay, as they decide where pods may run.

    \b
    Examples:
      hourglass-sim snapshot > cluster.json
      hourglass-sim snapshot --anonymize > attachment.json
      hourglass-sim check performer.yaml --cluster cluster.json
      hourglass-sim snapshot save cluster.yaml     the cluster that `serve` runs
      hourglass-sim serve --cluster cluster.yaml
    """
    if context.invoked_subcommand is not None:
        return
    found = Target(kubeconfig, chosen, None).ask(read_cluster)
    handed_on = anonymous if anonymize else masked
    print_data(listed(handed_on(found.items)), "json")
    if found.hidden:
        print_line(f"left out, as you may not list them: {', '.join(found.hidden)}")


@snapshot.command("save")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@kubeconfig_option
def save(file: Path, kubeconfig: Path | None) -> None:
    """Write every object of the cluster that `serve` runs into a file.

    As `kubectl get -o yaml` prints them. Left out are Events, managedFields and the values of
    Secrets. What of it `serve --cluster` and `check --cluster` load, they say.
    """
    found = call(kubeconfig, "GET", "snapshot")
    try:
        file.write_text(as_yaml(found), encoding="utf-8")
    except OSError as error:
        raise RunningError(f"{file}: {error.strerror}") from error
    click.echo(f"{len(found['items'])} objects in {file}")
