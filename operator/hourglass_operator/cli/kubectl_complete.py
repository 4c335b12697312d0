"""`kubectl_complete-performer`, which kubectl runs for `kubectl performer … <TAB>`.

https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
"""

import sys
from collections.abc import Sequence

import click
from click.shell_completion import ShellComplete

from hourglass_operator.cli.plugin import main as program
from hourglass_operator.cli.plugin_completion import PROGRAM, VARIABLE

_NO_FILES = ":4"
"""What kubectl expects in the last line: no names of files beside these (cobra's directive)."""


def lines(arguments: Sequence[str]) -> list[str]:
    """What kubectl expects for the words so far, the last of which is begun."""
    *words, begun = arguments or [""]
    found = ShellComplete(program, {}, PROGRAM, VARIABLE).get_completions(words, begun)
    return [*(item.value for item in found if item.type == "plain"), _NO_FILES]


def main() -> None:
    """Print them."""
    click.echo("\n".join(lines(sys.argv[1:])))
