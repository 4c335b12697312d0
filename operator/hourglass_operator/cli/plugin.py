"""`kubectl performer`, installed as `kubectl-performer`."""

import os
import sys
import time

import click

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP
from hourglass_operator.cli.plugin_changes import (
    move_command,
    restart_command,
    upgrade_command,
    wait_command,
)
from hourglass_operator.cli.plugin_check import check_command
from hourglass_operator.cli.plugin_completion import completion, performer_argument
from hourglass_operator.cli.plugin_follow import NOT_SERVING
from hourglass_operator.cli.plugin_hardware import hardware_command
from hourglass_operator.cli.plugin_options import DATA, output_option
from hourglass_operator.cli.plugin_report import report_command
from hourglass_operator.cli.plugin_target import Target, bad, target_options
from hourglass_operator.console.catalogue import catalogue_option
from hourglass_operator.console.command_group import CommandGroup
from hourglass_operator.console.data import print_data
from hourglass_operator.console.line import print_line
from hourglass_operator.console.terminal import Terminal
from hourglass_operator.hardware.catalogue import Catalogue, load
from hourglass_operator.plugin import show
from hourglass_operator.plugin.read import objects
from hourglass_operator.plugin.view import View, view_of
from hourglass_operator.plugin.why import Why, why


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
      kubectl performer move my-performer
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
    if output in DATA:
        return print_data(rows, output)
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
    if output in DATA:
        timeline = [{"time": t, "what": w} for t, w in show.timeline(view, events)]
        return print_data(found | {"timeline": timeline}, output)
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
    if output in DATA:
        print_data(show.facts(view, explained), output)
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


for command in (
    *(wait_command, upgrade_command, restart_command, move_command),
    *(check_command, hardware_command, report_command, completion),
):
    main.add_command(command)
