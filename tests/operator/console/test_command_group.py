"""Errors of the program's own have an exit code that is no answer."""

import errno

import click
import pytest
from click.testing import CliRunner

from hourglass_operator.console.command_group import CommandGroup


@click.group(cls=CommandGroup)
def group() -> None:
    """Commands that end in some way."""


@group.command("end")
@click.argument("how")
def end(how: str) -> None:
    match how:
        case "bug":
            raise ValueError("a bug")
        case "answer":
            raise SystemExit(1)
        case "usage":
            raise click.UsageError("not so")
        case "reader":
            raise OSError(errno.EPIPE, "gone")


@pytest.mark.parametrize(
    ("how", "code"), [("bug", 3), ("answer", 1), ("usage", 2), ("reader", 1), ("well", 0)]
)
def test_exit_code(how: str, code: int) -> None:
    assert CliRunner().invoke(group, ["end", how]).exit_code == code


def test_an_error_of_its_own_is_one_line_without_a_traceback() -> None:
    result = CliRunner().invoke(group, ["end", "bug"])
    assert result.stderr.startswith("group: an error of the program itself, not an answer: ")
    assert "ValueError at test_command_group.py:" in result.stderr
    assert result.stderr.endswith(": a bug\n")
    assert result.stderr.count("\n") == 1
