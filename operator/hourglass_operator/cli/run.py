"""`hourglass-operator run`."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from hourglass_operator.console.line import print_line
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.catalogue import load as load_catalogue
from hourglass_operator.runtime.process import logs
from hourglass_operator.runtime.process.preflight import Exit
from hourglass_operator.runtime.process.probes import ListenError
from hourglass_operator.runtime.process.run import run as run_operator
from hourglass_operator.runtime.process.settings import RuntimeSettings, SettingsError, load
from hourglass_operator.transport.connection import KubeconfigError

_HELP = """Watch Performers and do what they ask for, until SIGTERM or SIGINT.

\b
Each setting is a flag, an environment variable (HOURGLASS_ and the name in
capitals, such as HOURGLASS_LEASE_DURATION) or a line of the --config file
(such as "lease-duration: 15"); the first that is given counts.

\b
Examples:
  hourglass-operator run
  hourglass-operator run --namespace avs-project-a --no-leader-election
  hourglass-operator run --kubeconfig ~/.kube/config --context staging --log-format json

\b
Exit codes:
  0  stopped as asked
  1  the operator failed
  2  a flag, a setting or the kubeconfig is wrong
  3  the API server cannot be reached or refuses the credentials
  4  the CustomResourceDefinition is not installed
  5  a permission is missing
"""


def _option(name: str, field: FieldInfo) -> Callable[[Callable[..., None]], Callable[..., None]]:
    flag = "--" + name.replace("_", "-")
    help_text = f"{field.description}{_default(field)}"
    if field.annotation is bool:
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=help_text)
    multiple = get_origin(field.annotation) is tuple
    return click.option(flag, name, multiple=multiple, metavar=_metavar(field), help=help_text)


def _default(field: FieldInfo) -> str:
    if field.default in (None, ()):
        return ""
    value = field.default
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return f"  [default: {value:g}]" if isinstance(value, float) else f"  [default: {value}]"


def _metavar(field: FieldInfo) -> str:
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return "|".join(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "|".join(annotation)
    if annotation is float:
        return "SECONDS"
    if annotation is int:
        return "NUMBER"
    return "FILE" if Path in get_args(annotation) else "TEXT"


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each setting; pydantic reads the values, so that errors read the same."""
    for name, field in reversed(RuntimeSettings.model_fields.items()):
        command = _option(name, field)(command)
    return command


@click.command(name="run", help=_HELP)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML file with settings.",
)
@settings_options
def run(config: Path | None, **flags: Any) -> None:
    """Run the operator."""
    try:
        settings = load({k: v for k, v in flags.items() if v != ()}, os.environ, config)
        catalogue = _catalogue(settings.hardware_catalogue)
        logs.configure(settings.log_format, settings.log_level)
        # What is loaded by now stays: the garbage collector need not look at it again, and comes
        # the sooner to what does not stay.
        gc.collect()
        gc.freeze()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            code = runner.run(run_operator(settings, catalogue))
    except (SettingsError, KubeconfigError, ListenError) as error:
        for line in str(error).splitlines():
            print_line(f"hourglass-operator: {line}")
        code = Exit.BAD_SETTING
    sys.exit(code)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    # There is no uvloop for Windows, from where somebody may run the operator beside a cluster.
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _catalogue(file: Path | None) -> Catalogue:
    if file is None:
        return load_catalogue()
    try:
        return load_catalogue(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"--hardware-catalogue {file}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"--hardware-catalogue {file}: {error}") from None
