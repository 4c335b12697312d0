"""`hourglass-operator`: the operator process and what belongs to it."""

import click

from hourglass_operator.console.lazy_imports import SYNCHRONOUS_CLIENT, load_when_used

# Before anything imports them.
load_when_used(SYNCHRONOUS_CLIENT)

from hourglass_operator.cli.manifests import crd, manifests  # noqa: E402
from hourglass_operator.cli.migrate import migrate  # noqa: E402
from hourglass_operator.cli.release_finalizers import release_finalizers  # noqa: E402
from hourglass_operator.cli.run import run  # noqa: E402


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hourglass-performer-operator")
def main() -> None:
    """The Hourglass Performer operator."""


main.add_command(crd)
main.add_command(manifests)
main.add_command(migrate)
main.add_command(release_finalizers)
main.add_command(run)
