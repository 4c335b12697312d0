"""`hourglass-sim check`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click
import yaml
from kubernetes.client import V1ObjectMeta
from rich.table import Table
from rich.text import Text

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP
from hourglass_simulator.cli.console import console
from hourglass_simulator.cli.input import BAD_INPUT, refuse
from hourglass_simulator.harness import printed
from hourglass_simulator.harness.check import Answer, NotAcceptedError, check, is_performer
from hourglass_simulator.harness.snapshot import copy_of
from hourglass_simulator.scenario.document import KubernetesLoader, Location, UnreadableError, read
from hourglass_simulator.scenario.mistakes import mistakes

WOULD_NOT_RUN = 1
_MAX_BYTES = 256 * 1024 * 1024
_HOW = "kubectl get nodes,pods,priorityclasses,runtimeclasses -A -o yaml > cluster.yaml"


@click.command("check")
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option(
    "--cluster",
    "snapshot",
    required=True,
    type=click.Path(path_type=Path),
    help="What kubectl printed of the cluster.",
)
@click.option("--without", multiple=True, metavar="NODE", help="What if this node were gone?")
@click.option("--drain", multiple=True, metavar="NODE", help="What if this node were drained?")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table")
def check_command(
    manifest: Path,
    snapshot: Path,
    without: tuple[str, ...],
    drain: tuple[str, ...],
    output: str,
) -> None:
    """Say whether and where the Performers of a manifest would run on a cluster, and why not.

    Images, Secrets, ConfigMaps and ServiceAccounts are taken to exist.

    \b
    Examples:
      kubectl get nodes,pods,priorityclasses,runtimeclasses -A -o yaml > cluster.yaml
      hourglass-sim check performer.yaml --cluster cluster.yaml
      hourglass-sim check performer.yaml --cluster cluster.yaml --without gpu-1
      hourglass-sim check performer.yaml --cluster cluster.yaml --drain gpu-1 -o json

    \b
    Exit codes:
      0  all would run
      1  one would not
      2  bad input
    """
    performers = _performers(manifest)
    items = _items(snapshot)
    nodes = {item["metadata"]["name"] for item in items if item["kind"] == "Node"}
    for name in (*without, *drain):
        if name not in nodes:
            listed = ", ".join(sorted(nodes)[:10]) or "none"
            _bad(f"{snapshot}: no node {name}; expected one of {listed}")
    try:
        cluster = copy_of(items, without=without, drained=drain)
        answers = check(cluster, [performer for _, performer in performers])
    except printed.InvalidObjectError as error:
        _bad(f"{snapshot}: {error}")
    except NotAcceptedError as error:
        _bad(f"{performers[error.number][0]}: {error}")
    if output == "json":
        click.echo(json.dumps([asdict(answer) for answer in answers], indent=2, ensure_ascii=False))
    else:
        _show(answers)
    if not all(answer.runs for answer in answers):
        sys.exit(WOULD_NOT_RUN)


def _show(answers: list[Answer]) -> None:
    shown = console()
    table = Table("PERFORMER", "WOULD RUN", "NODE", "PHASE", box=None, pad_edge=False)
    for answer in answers:
        verdict = Text("yes", "green") if answer.runs else Text("no", "bold red")
        name = f"{answer.namespace}/{answer.name}"
        table.add_row(name, verdict, answer.node or "none", answer.phase)
    shown.print(table)
    for answer in answers:
        shown.print(f"\n{answer.namespace}/{answer.name}: {answer.message}", soft_wrap=True)
        for condition in answer.conditions:
            kind, status, reason = (condition[key] for key in ("type", "status", "reason"))
            shown.print(f"  {kind}={status} ({reason})", soft_wrap=True)


def _performers(path: Path) -> list[tuple[str, JSON]]:
    """Each with the words for where it stands."""
    try:
        documents = read(path)
    except UnreadableError as error:
        refuse(error)
    objects: list[tuple[str, JSON]] = []
    for document in documents:
        for location, item in _listed(document.value):
            if item is None:
                continue
            line, place = document.resolve(location)
            where = f"{path}:{line}: {place}" if place else f"{path}:{line}"
            if not printed.is_named(item) or "apiVersion" not in item:
                _bad(f"{where}: expected an object with apiVersion, kind and metadata.name")
            for field, text in mistakes(V1ObjectMeta, item["metadata"], extra="ignore"):
                line, place = document.resolve((*location, "metadata", *field))
                _bad(f"{path}:{line}: {place}: {text}")
            objects.append((where, item))
    performers = [
        (where, printed.as_written(found)) for where, found in objects if is_performer(found)
    ]
    if not performers:
        kinds = ", ".join(f"{f['apiVersion']}/{f['kind']}" for _, f in objects) or "nothing"
        _bad(f"{path}: no Performer of {GROUP} in it, found {kinds}")
    return performers


def _listed(found: Any) -> list[tuple[Location, Any]]:
    """The items if it is a List, or itself; with their locations in it."""
    if not isinstance(found, dict) or not str(found.get("kind")).endswith("List"):
        return [((), found)]
    items = found.get("items")
    if not isinstance(items, list):
        return [(("items",), items)]
    return [(("items", number), item) for number, item in enumerate(items)]


def _items(path: Path) -> list[JSON]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            _bad(f"{path}: larger than 256 MB")
        with path.open(encoding="utf-8") as stream:
            found = yaml.load(stream, Loader=KubernetesLoader)
    except OSError as error:
        _bad(f"{path}: {error.strerror or 'cannot be read'}; make it with: {_HOW}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        _bad(f"{path}: not YAML: {why}")
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(items, list):
        _bad(f"{path}: expected a List of objects; make it with: {_HOW}")
    try:
        return printed.objects(items)
    except printed.InvalidObjectError as error:
        _bad(f"{path}: {error}")


def _bad(text: str) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(BAD_INPUT)
