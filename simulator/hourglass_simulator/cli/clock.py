"""`hourglass-sim clock`."""

from pathlib import Path
from typing import Any

import click

from hourglass_operator.console.command_group import CommandGroup
from hourglass_simulator.cli.running import call, kubeconfig_option
from hourglass_simulator.scenario import duration


@click.group(cls=CommandGroup)
def clock() -> None:
    """See and set the time of the cluster that `serve` runs.

    Operators compare the cluster's times with their own clock, which goes on: what they do after so
    many seconds of their own, they do at another time of the cluster when it is advanced.

    \b
    Examples:
      hourglass-sim clock now
      hourglass-sim clock advance 5m     a node that is lost is so for five minutes more
      hourglass-sim clock pause          nothing happens but by `advance`
      hourglass-sim clock resume
      hourglass-sim clock speed 10
    """


def _duration(_context: click.Context, _option: click.Parameter, given: str) -> str:
    try:
        duration.parse(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return given


@clock.command("advance")
@click.argument("by", callback=_duration)
@kubeconfig_option
def advance(by: str, kubeconfig: Path | None) -> None:
    """Let time pass at once: 30s, 5m, 1h30m; everything that is due in it happens."""
    _show(call(kubeconfig, "POST", "clock", "advance", query={"by": by}))


@clock.command("pause")
@kubeconfig_option
def pause(kubeconfig: Path | None) -> None:
    """Let time stand still."""
    _show(call(kubeconfig, "POST", "clock", "pause"))


@clock.command("resume")
@kubeconfig_option
def resume(kubeconfig: Path | None) -> None:
    """Let time pass again, at the speed that it had."""
    _show(call(kubeconfig, "POST", "clock", "resume"))


@clock.command("speed")
@click.argument("factor", type=click.FloatRange(min=0, min_open=True, max=1e6))
@kubeconfig_option
def speed(factor: float, kubeconfig: Path | None) -> None:
    """Let time pass so many times as fast as the wall clock."""
    _show(call(kubeconfig, "POST", "clock", "speed", query={"factor": str(factor)}))


@clock.command("now")
@kubeconfig_option
def now(kubeconfig: Path | None) -> None:
    """Print the cluster's time, how long it runs, and how fast."""
    _show(call(kubeconfig, "GET", "clock"))


def _show(time: Any) -> None:
    pace = "paused" if time["paused"] else f"speed {time['speed']:g}"
    click.echo(f"{time['time']}, {time['elapsed']} after the start, {pace}")
