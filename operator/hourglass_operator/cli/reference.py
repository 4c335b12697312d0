"""`python -m hourglass_operator.cli.reference` writes docs/cli.md, from the commands' own help."""

import sys
from collections.abc import Iterator, Mapping

import click

from hourglass_operator.cli import main
from hourglass_operator.cli.plugin import main as plugin

_WIDTH = 96
_PAGE = """\
# `hourglass-operator` and `kubectl performer`

Made from the code by `make generate`; each command says the same with `--help`. The simulator's:
[cli-simulator.md](cli-simulator.md).

"""


def page() -> str:
    """docs/cli.md."""
    return _PAGE + helps({"hourglass-operator": main, "kubectl performer": plugin})


def helps(programs: Mapping[str, click.Command]) -> str:
    """The help of programs and of all their commands, as Markdown."""
    return "\n".join(
        text for name, command in programs.items() for text in _helps(command, name, None)
    )


def _helps(command: click.Command, name: str, above: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command,
        info_name=name,
        parent=above,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            child = command.get_command(context, each)
            if child is not None and not child.hidden:
                yield from _helps(child, each, context)


if __name__ == "__main__":
    sys.stdout.write(page())
