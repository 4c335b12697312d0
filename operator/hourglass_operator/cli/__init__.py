"""`hourglass-operator`: the operator process and what belongs to it."""

import click

from hourglass_operator.cli.migrate import migrate
from hourglass_operator.cli.run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hourglass-performer-operator")
def main() -> None:
    """The Hourglass Performer operator."""


main.add_command(migrate)
main.add_command(run)
