"""A group whose commands are imported when one of them is asked for."""

# ruff: noqa: ARG002 - click passes a context

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from hourglass_operator.console.command_group import CommandGroup


class LazyCommands(CommandGroup):
    """`places` says of each command where it is below `package`: `check:check_command`.

    Each program then loads what its command needs, and not what all others do.
    https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands
    """

    def __init__(self, *args: Any, package: str, places: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._package = package
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, sorted."""
        return sorted(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, if there is one."""
        if cmd_name not in self._places:
            return None
        module, _, attribute = self._places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"{self._package}.{module}"), attribute)
        return command
