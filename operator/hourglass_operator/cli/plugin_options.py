"""Options that commands of `kubectl performer` share."""

import math
from collections.abc import Callable
from typing import Any

import click

DATA = ("json", "yaml")
"""Outputs for programs."""


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
