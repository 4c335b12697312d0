"""`kubectl performer`, installed as `kubectl-performer`."""

import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
import yaml

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP
from hourglass_operator.api.messages import essence
from hourglass_operator.cli.plugin_completion import completion, performer_argument
from hourglass_operator.cli.plugin_target import Target, bad, target_options
from hourglass_operator.client import AsyncClient, ClientError, Performer, WaitError
from hourglass_operator.console.catalogue import FLAG, HELP, VARIABLE, catalogue_option
from hourglass_operator.console.command_group import CommandGroup
from hourglass_operator.console.line import print_line
from hourglass_operator.console.terminal import Terminal
from hourglass_operator.hardware.catalogue import Catalogue, load
from hourglass_operator.plugin import show
from hourglass_operator.plugin.follow import followed, line
from hourglass_operator.plugin.read import objects
from hourglass_operator.plugin.view import View, view_of
from hourglass_operator.plugin.why import Why, why

NOT_SERVING = 1
_CHECKED = "nodes,pods,priorityclasses,runtimeclasses,namespaces,resourcequotas,limitranges"
_CLAIMED = "deviceclasses,resourceslices,resourceclaims,resourceclaimtemplates"
"""What clusters with Dynamic Resource Allocation have besides."""
_UNKNOWN = b"doesn't have a resource type"
"""What kubectl says of those in another cluster."""


class _Seconds(click.FloatRange):
    """Click takes `nan` and `inf` for numbers like others."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return seconds


def output_option(*formats: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """-o: a table unless one of these is chosen."""
    choice = click.Choice(["table", *formats])
    return click.option("-o", "--output", type=choice, default="table", show_default=True)


def timeout_option(default: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """--timeout."""
    kind = _Seconds(min=0)
    return click.option(
        "--timeout", type=kind, default=default, show_default=True, metavar="SECONDS"
    )


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hourglass-performer-operator")
def main() -> None:
    """Performers: what they are doing, and why they are not.

    \b
    Examples:
      kubectl performer list -A
      kubectl performer why my-performer -n my-avs-project
      kubectl performer status my-performer -o json
      kubectl performer logs my-performer -f
      kubectl performer wait my-performer --timeout 120
      kubectl performer upgrade my-performer --image myavs/performer:v2.1.0 --version v2.1.0
      kubectl performer check -f performer.yaml

    \b
    Exit codes:
      0  done; yes
      1  no: it does not serve
      2  bad input, or the cluster does not answer
      3  an error of the program itself: no answer
    """


@main.command("list")
@click.option("-A", "--all-namespaces", is_flag=True, help="Of all namespaces.")
@output_option("json", "yaml", "wide", "name")
@target_options
def list_command(target: Target, all_namespaces: bool, output: str) -> None:
    """Performers, and of those that do not serve, why."""
    namespace = "" if all_namespaces else target.namespace
    found = target.ask(lambda api: objects(api, namespace))
    rows = show.rows(found.listed["performers"])
    if output in _DATA:
        return _print_data(rows, output)
    if output == "name":
        for row in rows:
            print_line(f"performer.{GROUP}/{row['name']}", err=False)
        return None
    if not rows:
        where = f" in namespace {namespace}" if namespace else ""
        return print_line(f"no Performers{where}")
    console = Terminal()
    width = None if console.is_endless else console.width
    shown = show.table(
        rows, namespaces=all_namespaces, wide=output == "wide", now=time.time(), width=width
    )
    for each in shown:
        console.print(each, soft_wrap=True)
    return None


@main.command("status")
@performer_argument
@catalogue_option
@output_option("json", "yaml")
@target_options
def status_command(target: Target, name: str, catalogue: Catalogue, output: str) -> None:
    """One Performer: pod, Service, node, hardware, and what happened when."""
    view, explained, events = _examine(target, name, catalogue)
    found = show.facts(view, explained)
    if output in _DATA:
        timeline = [{"time": t, "what": w} for t, w in show.timeline(view, events)]
        return _print_data(found | {"timeline": timeline}, output)
    console, now = Terminal(), time.time()
    for label, text in show.card(found, now):
        if text:
            console.print(f"{label + ':':<14}{text}", soft_wrap=True)
    console.print("History:")
    for moment, what in show.history(view, events, explained.message):
        console.print(f"  {show.age(moment, now):>5} ago  {what}", soft_wrap=True)
    return None


@main.command("why")
@performer_argument
@catalogue_option
@output_option("json", "yaml")
@target_options
def why_command(target: Target, name: str, catalogue: Catalogue, output: str) -> None:
    """What keeps a Performer from serving, and what to change, in one sentence.

    Worked out anew from the Performer, its pods and the nodes. Exit code 0 if it serves, 1 if not.
    """
    view, explained, _ = _examine(target, name, catalogue)
    if output in _DATA:
        _print_data(show.facts(view, explained), output)
    else:
        sentence = f"{name} ({explained.phase}, {explained.reason}): {explained.sentence}"
        print_line(sentence, err=False)
    if not explained.serves:
        sys.exit(NOT_SERVING)


@main.command("logs")
@performer_argument
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows.")
@click.option("-p", "--previous", is_flag=True, help="Of the container before the last restart.")
@click.option("--tail", type=click.IntRange(min=-1), default=-1, help="Only so many lines.")
@target_options
def logs_command(target: Target, name: str, follow: bool, previous: bool, tail: int) -> None:
    """The log of a Performer's pods, through `kubectl logs`."""
    _examine(target, name, load())
    flags = ["--follow"] * follow + ["--previous"] * previous
    selector = f"app=performer,performer-name={name}"
    command = target.kubectl("logs", "-n", target.namespace, "-l", selector, f"--tail={tail}")
    try:
        os.execvp(command[0], [*command, *flags])
    except OSError as error:
        bad(f"{command[0]}: {error.strerror}")


@main.command("wait")
@performer_argument
@timeout_option(300.0)
@output_option("json", "yaml")
@target_options
def wait_command(target: Target, name: str, timeout: float, output: str) -> None:
    """Wait until a Performer serves, and print its changes. Exit code 0 if it does, 1 if not."""
    _follow(target, name, output, lambda client: client.wait_until_ready(name, timeout))


@main.command("upgrade")
@performer_argument
@click.option("--image", help="The new image.")
@click.option("--version", help="The new version; alone it restarts a mutable tag.")
@timeout_option(600.0)
@output_option("json", "yaml")
@target_options
def upgrade_command(
    target: Target, name: str, image: str | None, version: str | None, timeout: float, output: str
) -> None:
    """Change image, version or both, and wait until the new version serves.

    Exit code 0 if it does, 1 if not; usually the old version serves on then.
    """
    if image is None and version is None:
        bad("upgrade: --image, --version or both are expected, found neither")

    def upgrade(client: AsyncClient) -> Awaitable[Performer]:
        return client.upgrade(name, image=image, version=version, timeout=timeout)

    _follow(target, name, output, upgrade)


@main.command("check")
@click.option("-f", "--filename", required=True, type=click.Path(path_type=Path))
@click.option(FLAG, "catalogue", envvar=VARIABLE, metavar="FILE", help=HELP)
@output_option("json", "yaml")
@target_options
def check_command(target: Target, filename: Path, catalogue: str | None, output: str) -> None:
    """Show whether and where the Performers of a file would run on this cluster, and why not."""
    read = _printed(target, f"{_CHECKED},{_CLAIMED}")
    if read.returncode and _UNKNOWN in read.stderr:
        read = _printed(target, _CHECKED)
    if read.returncode:
        bad("; ".join(read.stderr.decode(errors="replace").splitlines()))
    with tempfile.NamedTemporaryFile(suffix=".json") as snapshot:
        snapshot.write(read.stdout)
        snapshot.flush()
        simulator = [str(Path(sys.executable).with_name("hourglass-sim")), "check", str(filename)]
        options = ["--cluster", snapshot.name, "-o", output]
        if catalogue is not None:
            options += [FLAG, catalogue]
        done = subprocess.run([*simulator, *options], check=False)
    sys.exit(done.returncode)


def _printed(target: Target, kinds: str) -> "subprocess.CompletedProcess[bytes]":
    command = target.kubectl("get", kinds, "-A", "-o", "json")
    try:
        return subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        bad(f"{command[0]}: {error.strerror}")


def _follow(
    target: Target,
    name: str,
    output: str,
    wait: Callable[[AsyncClient], Awaitable[Performer]],
) -> None:
    """Wait with a client; people see each change on standard error, programs the end as JSON."""

    last = ""

    def report(state: str) -> None:
        nonlocal last
        last = state
        print_line(state)

    async def follow() -> Performer:
        place, file, context = target.namespace, target.kubeconfig, target.context
        async with AsyncClient(place, kubeconfig=file, context=context, variables={}) as client:
            return await followed(client, name, lambda: wait(client), report)

    performer: Performer | None
    try:
        performer, failure = asyncio.run(follow()), ""
    except WaitError as error:
        performer, failure = error.performer, essence(str(error))
        if last.endswith(f": {essence(error.message)}"):
            failure = failure.removesuffix(f": {error.reason}: {essence(error.message)}")
    except ClientError as error:
        bad(str(error))
    if output in _DATA:
        state = performer and line(performer)
        _print_data({"serves": not failure, "state": state, "failure": failure}, output)
    elif failure:
        print_line(failure)
    elif performer is not None:
        print_line(f"{name} serves: {line(performer)}", err=False)
    if failure:
        sys.exit(NOT_SERVING)


def _examine(target: Target, name: str, catalogue: Catalogue) -> tuple[View, Why, list[JSON]]:
    found = target.ask(lambda api: objects(api, target.namespace, events_of=name))
    now = time.time()
    try:
        view = view_of(found, target.namespace, name, catalogue, now)
    except KeyError:
        there = ", ".join(row["name"] for row in show.rows(found.listed["performers"])[:10])
        bad(
            f"no Performer {name} in namespace {target.namespace}"
            + (f"; there are {there}" if there else "; there are none")
        )
    return view, why(view, now), list(found.events)


_DATA = ("json", "yaml")


def _print_data(value: Any, form: str) -> None:
    if form == "yaml":
        click.echo(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))


main.add_command(completion)
