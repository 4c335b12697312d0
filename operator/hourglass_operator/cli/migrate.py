"""`hourglass-operator migrate`."""

import sys
from collections.abc import Sequence
from typing import BinaryIO

import click

from hourglass_operator.console.line import print_line
from hourglass_operator.migrate import NotYamlError, Remark
from hourglass_operator.migrate import migrate as convert

_HELP = """Turn manifests of the previous architecture into those of this one.

Takes executorRef out of Performers and moves scheduling.nodeAffinity into scheduling.affinity.
Comments, order and everything else stay as they are. What was changed is printed on standard error,
and so is what stays but does not mean what it meant to the Go operator; what cannot be converted is
named with its line, and nothing is written then.

\b
Examples:
  hourglass-operator migrate -f old.yaml > new.yaml
  hourglass-operator migrate -f old.yaml -o old.yaml
  kubectl get performers -A -o yaml | hourglass-operator migrate -f - | kubectl apply -f -

\b
Exit codes:
  0  converted, or nothing to convert
  2  the file cannot be read, or something in it cannot be converted
"""


@click.command(name="migrate", help=_HELP)
@click.option(
    "-f",
    "--filename",
    "sources",
    type=click.File("rb"),
    required=True,
    multiple=True,
    help="YAML or JSON, any number of documents; - for standard input. Once.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="Where to write; else standard output."
)
def migrate(sources: Sequence[BinaryIO], output: str | None) -> None:
    """Convert a file."""
    if len(sources) > 1:
        print_line(f"--filename: expected one file, found {len(sources)}; convert them one by one")
        sys.exit(2)
    (source,) = sources
    name = getattr(source, "name", "<stdin>").replace("<stdin>", "standard input")
    try:
        done = convert(source.read().decode())
    except NotYamlError as error:
        print_line(f"{name}:{error.line}: not YAML: {error}")
        sys.exit(2)
    except UnicodeDecodeError:
        print_line(f"{name}: not UTF-8")
        sys.exit(2)
    if done.refused:
        for remark in done.refused:
            print_line(_line(name, remark))
        sys.exit(2)
    for remark in done.changes:
        print_line(_line(name, remark))
    if not done.changes:
        print_line(f"{name}: nothing to change")
    for remark in done.notes:
        print_line(_line(name, remark))
    try:
        with click.open_file(output or "-", "wb") as target:
            target.write(done.text.encode())
    except OSError as error:
        print_line(f"--output {output}: {error.strerror}")
        sys.exit(2)


def _line(name: str, remark: Remark) -> str:
    return f"{name}:{remark.line}: {remark.field}: {remark.text}"
