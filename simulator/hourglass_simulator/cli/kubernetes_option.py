"""`--kubernetes`: the version that a command simulates."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from hourglass_simulator.kubernetes.version import VERSIONS

Command = TypeVar("Command", bound=Callable[..., Any])


def kubernetes_option(default: str) -> Callable[[Command], Command]:
    """The option, whose value is a name or None; `default` says what is simulated without it."""
    return click.option(
        "--kubernetes",
        type=click.Choice(VERSIONS),
        help=f"The minor version of Kubernetes; without it, {default}.",
    )
