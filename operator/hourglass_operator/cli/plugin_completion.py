"""`kubectl performer completion`, and the names of Performers that complete arguments."""

import contextlib
import io
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from hourglass_operator.cli.plugin_target import Target
from hourglass_operator.plugin import show
from hourglass_operator.plugin.read import objects

PROGRAM = "kubectl-performer"
VARIABLE = "_KUBECTL_PERFORMER_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


def _performers(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """The names in the namespace; none where the cluster does not answer."""
    file = ctx.params.get("kubeconfig")
    place = Path(file) if file else None
    try:
        # What is wrong is said when the command is run; here it would disturb the prompt.
        with contextlib.redirect_stderr(io.StringIO()):
            target = Target(place, ctx.params.get("context"), ctx.params.get("namespace"))
            found = target.ask(lambda api: objects(api, target.namespace))
    except (Exception, SystemExit):
        return []
    names = (row["name"] for row in show.rows(found.listed["performers"]))
    return [CompletionItem(name) for name in names if name.startswith(begun)]


performer_argument = click.argument("name", shell_complete=_performers)


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print a script that completes `kubectl-performer` in a shell.

    For `kubectl performer` itself, kubectl's own completion is enough, where
    `kubectl_complete-performer`, which is installed beside this, is on the PATH.

    \b
    Examples:
      source <(kubectl performer completion bash)
      kubectl performer completion fish > ~/.config/fish/completions/kubectl-performer.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    ctx = click.get_current_context()
    click.echo(found(ctx.find_root().command, {}, PROGRAM, VARIABLE).source())
