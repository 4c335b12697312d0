"""`hourglass-sim check`."""

import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.text import Text

from hourglass_operator.console.catalogue import catalogue_option
from hourglass_operator.console.data import print_data
from hourglass_operator.console.terminal import Terminal, styled
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.plugin.columns import columns
from hourglass_simulator.cli import snapshot_file
from hourglass_simulator.cli.kubernetes_option import kubernetes_option
from hourglass_simulator.cli.manifest_file import performers
from hourglass_simulator.cli.shipped import there_or_shipped
from hourglass_simulator.cli.snapshot_file import bad, notices
from hourglass_simulator.harness import printed
from hourglass_simulator.harness.check import (
    Answer,
    NotAcceptedError,
    check,
    check_all,
    serving,
    start_operator,
)
from hourglass_simulator.harness.displacement import Displaced, displace, settle
from hourglass_simulator.harness.snapshot import copy_of, version_of
from hourglass_simulator.kubernetes.version import version

WOULD_NOT_RUN = 1
OUTPUTS = ("table", "json", "yaml")


@click.command("check")
@click.argument("manifests", metavar="[MANIFEST]…", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "-f",
    "--filename",
    "filenames",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Another manifest, as kubectl names them; several times for several.",
)
@click.option(
    "--cluster",
    "snapshot",
    required=True,
    type=click.Path(path_type=Path),
    help="What kubectl printed of the cluster.",
)
@click.option("--without", multiple=True, metavar="NODE", help="What if this node were gone?")
@click.option("--drain", multiple=True, metavar="NODE", help="What if this node were drained?")
@kubernetes_option("the recorded one that is nearest to that of the cluster's nodes")
@catalogue_option
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="table")
def check_command(
    manifests: tuple[Path, ...],
    filenames: tuple[Path, ...],
    snapshot: Path,
    without: tuple[str, ...],
    drain: tuple[str, ...],
    kubernetes: str | None,
    catalogue: Catalogue,
    output: str,
) -> None:
    """Say whether and where Performers would run on a cluster, and why not.

    Those of the manifests are applied at once: new ones, and upgrades of those that the cluster
    has. Without a manifest it is about all that the cluster has.

    With --drain or --without also what becomes of every pod of these nodes, and of those that make
    room for them: by the controllers and disruption budgets that are in the file.

    Everything in the file is taken as it is, and pods are not admitted again. What it lacks and
    pods refer to (claims and volumes, Secrets, ConfigMaps, accounts, classes, owners) is taken to
    exist, and so are images. What was taken to exist, and kinds that are not simulated, are named.
    Events, endpoints, leases and the values of Secrets are not read. Where GPUs are claimed
    (Dynamic Resource Allocation), print deviceclasses, resourceslices, resourceclaims and
    resourceclaimtemplates, too.

    \b
    Examples:
      kubectl get nodes,pods,deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,\
      controllerrevisions,poddisruptionbudgets,persistentvolumeclaims,persistentvolumes,\
      storageclasses,csinodes,priorityclasses,runtimeclasses,namespaces,resourcequotas,\
      limitranges,performers -A -o json > cluster.json
      hourglass-sim check performer.yaml --cluster cluster.json
      hourglass-sim check -f a.yaml -f b.yaml --cluster cluster.json --without gpu-1
      hourglass-sim check --cluster cluster.json --drain gpu-1 -o json

    \b
    Exit codes:
      0  all would run
      1  a Performer would not; without a manifest: a Performer or a pod would not
      2  bad input, or nothing to check
      3  an error of the program itself: no answer
    """
    files = (*manifests, *filenames)
    written = [each for file in files for each in performers(there_or_shipped(file))]
    found = snapshot_file.read(snapshot)
    nodes = {item["metadata"]["name"] for item in found.objects if item["kind"] == "Node"}
    for name in (*without, *drain):
        if name not in nodes:
            listed = ", ".join(sorted(nodes)[:10]) or "none"
            bad(f"{snapshot}: no node {name}; expected one of {listed}")
    try:
        chosen = version(kubernetes) if kubernetes else version_of(found.objects)
        copy = copy_of(found.objects, version=chosen)
        start_operator(copy.cluster, catalogue)
        served = serving(copy.cluster)
        displaced: list[Displaced] = []
        if without or drain:
            settle(copy.cluster)
            displaced = displace(copy, without=without, drained=drain)
        if written:
            answers = check(copy.cluster, [each.object for each in written], served)
        else:
            answers = check_all(copy.cluster, served)
    except printed.InvalidObjectError as error:
        bad(f"{snapshot}: {error}")
    except NotAcceptedError as error:
        bad(*written[error.number].faults(error))
    if not (answers or without or drain):
        bad(
            f"nothing to check: {snapshot} has no Performer; name a manifest with some by -f, or a "
            "node by --drain or --without"
        )
    if output == "table":
        _show(answers, displaced)
        if not (answers or displaced):
            click.echo(f"no pods on {', '.join([*without, *drain])}")
    else:
        records = [
            *({"kind": "Performer", **asdict(answer)} for answer in answers),
            *({"kind": "Pod", **asdict(each)} for each in displaced),
        ]
        print_data(records, output)
    for notice in notices(copy, found):
        click.echo(notice, err=output != "table")
    runs = [answer.runs for answer in answers]
    if not written:
        runs += [each.runs for each in displaced]
    if not all(runs):
        sys.exit(WOULD_NOT_RUN)


def _show(answers: list[Answer], displaced: list[Displaced]) -> None:
    shown = Terminal()
    if answers:
        rows = [_cells("PERFORMER", "WOULD RUN", "NODE", "PHASE")]
        for answer in answers:
            verdict = styled("yes", "green") if answer.runs else styled("no", "bold red")
            if answer.evicts:
                verdict.append_text(styled(f", evicts {len(answer.evicts)}", "bold yellow"))
            if answer.loses:
                verdict.append_text(styled(f", loses {answer.loses}", "bold red"))
            name = f"{answer.namespace}/{answer.name}"
            rows.append([styled(name), verdict, *_cells(answer.node or "none", answer.phase)])
        _print_rows(shown, rows)
    for answer in answers:
        shown.print()
        shown.print(f"{answer.namespace}/{answer.name}: {answer.message}", soft_wrap=True)
        if answer.loses:
            lost = f"  your running version would be lost: {answer.loses} serves now"
            shown.print(lost, soft_wrap=True)
        elif answer.served and not answer.runs:
            shown.print(f"  {answer.served} serves on", soft_wrap=True)
        for victim in answer.evicts:
            shown.print(f"  evicts pod {victim}, which is less important", soft_wrap=True)
        for condition in answer.conditions:
            kind, status, reason = (condition[key] for key in ("type", "status", "reason"))
            shown.print(f"  {kind}={status} ({reason})", soft_wrap=True)
    if displaced:
        if answers:
            shown.print()
        _show_displaced(shown, displaced)


def _cells(*texts: str) -> list[Text]:
    return [styled(text) for text in texts]


def _print_rows(shown: Terminal, rows: list[list[Text]]) -> None:
    """Names are never cut, however narrow the terminal is."""
    for line in columns(rows, [""] * len(rows), None):
        shown.print(line, soft_wrap=True)


_BECOMES = {
    "stays": ("stays", "green"),
    "moves": ("moves", "green"),
    "pending": ("Pending", "bold red"),
    "blocked": ("not evicted", "bold red"),
    "ends": ("does not end", "bold red"),
    "gone": ("gone", "bold red"),
}


def _show_displaced(shown: Terminal, displaced: list[Displaced]) -> None:
    rows = [_cells("POD", "OF", "NODE", "BECOMES", "TO", "WHY")]
    for each in displaced:
        pod, verdict = f"{each.namespace}/{each.name}", styled(*_BECOMES[each.outcome])
        rows.append(
            [*_cells(pod, each.owner or "none", each.node), verdict, *_cells(each.to, each.cause)]
        )
    _print_rows(shown, rows)
    for each in displaced:
        if each.message:
            shown.print()
            shown.print(f"{each.namespace}/{each.name}: {each.message}", soft_wrap=True)
