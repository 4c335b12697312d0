"""Commands of `kubectl performer` that wait for a Performer, most of them after a change."""

from collections.abc import Awaitable

import click

from hourglass_operator.cli.plugin_completion import performer_argument
from hourglass_operator.cli.plugin_follow import follow
from hourglass_operator.cli.plugin_options import output_option, timeout_option
from hourglass_operator.cli.plugin_target import Target, bad, target_options
from hourglass_operator.client import AsyncClient, Performer


@click.command("wait")
@performer_argument
@timeout_option(300.0)
@output_option("json", "yaml")
@target_options
def wait_command(target: Target, name: str, timeout: float, output: str) -> None:
    """Wait until a Performer serves, and print its changes.

    \b
    Examples:
      kubectl performer wait my-performer --timeout 120
      kubectl performer wait my-performer -o json

    \b
    Exit codes:
      0  it serves
      1  it does not
      2  bad input, or the cluster does not answer
    """
    follow(target, name, output, lambda client: client.wait_until_ready(name, timeout))


@click.command("upgrade")
@performer_argument
@click.option("--image", help="The new image.")
@click.option("--version", help="The new version; alone it restarts a mutable tag.")
@timeout_option(600.0)
@output_option("json", "yaml")
@target_options
def upgrade_command(
    target: Target, name: str, image: str | None, version: str | None, timeout: float, output: str
) -> None:
    """Change image, version or both, and wait until the new version serves.

    \b
    Examples:
      kubectl performer upgrade my-performer --image myavs/performer:v2.1.0 --version v2.1.0
      kubectl performer upgrade my-performer --version v2.1.0-again

    \b
    Exit codes:
      0  the new version serves
      1  it does not; usually the old version serves on
      2  bad input, or the cluster does not answer
    """
    if image is None and version is None:
        bad("upgrade: --image, --version or both are expected, found neither")

    def upgrade(client: AsyncClient) -> Awaitable[Performer]:
        return client.upgrade(name, image=image, version=version, timeout=timeout)

    follow(target, name, output, upgrade)


@click.command("restart")
@performer_argument
@timeout_option(600.0)
@output_option("json", "yaml")
@target_options
def restart_command(target: Target, name: str, timeout: float, output: str) -> None:
    """Let another pod take the place of the one that serves, and wait until it does.

    The new pod serves before the old one goes; with the upgrade strategy Recreate, and for want of
    hardware with Auto, the old one goes first. What does not serve is the operator's to replace.

    \b
    Examples:
      kubectl performer restart my-performer
      kubectl performer restart my-performer -n my-avs-project --timeout 120

    \b
    Exit codes:
      0  the new pod serves
      1  it does not; usually the old one serves on, and the wish is taken back
      2  bad input, or the cluster does not answer
    """
    follow(target, name, output, lambda client: client.restart(name, timeout))


@click.command("move")
@performer_argument
@timeout_option(600.0)
@output_option("json", "yaml")
@target_options
def move_command(target: Target, name: str, timeout: float, output: str) -> None:
    """Move a Performer to another node now, and wait until it serves there.

    The new pod serves before the old one goes. With the upgrade strategy Recreate the old one goes
    first, and nothing keeps the new one from coming back: cordon the node.

    \b
    Examples:
      kubectl performer move my-performer
      kubectl performer move my-performer --timeout 120 -o json

    \b
    Exit codes:
      0  it serves on another node
      1  it does not; usually the old pod serves on, and the wish is taken back
      2  bad input, or the cluster does not answer
    """
    follow(target, name, output, lambda client: client.move(name, timeout))
