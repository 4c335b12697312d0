"""Which cluster and namespace a command of `kubectl performer` is about."""

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import yaml
from kubernetes.config import ConfigException, list_kube_config_contexts

from hourglass_operator.console.line import print_line
from hourglass_operator.plugin.read import ReadError
from hourglass_operator.transport.api import Api
from hourglass_operator.transport.connection import KubeconfigError, connection

T = TypeVar("T")

BAD_INPUT = 2
_TIMEOUT = 30.0


class Target:
    """Which cluster and namespace a command is about."""

    def __init__(self, kubeconfig: Path | None, context: str | None, namespace: str | None) -> None:
        self.kubeconfig, self.context = kubeconfig, context
        self.namespace = namespace or self._default_namespace()

    def ask(self, question: Callable[[Api], Awaitable[T]]) -> T:
        """Run a question against the API server; what goes wrong ends the process."""

        async def asked() -> T:
            api = Api(await connection(self.kubeconfig, self.context), _TIMEOUT)
            try:
                return await question(api)
            finally:
                await api.close()

        try:
            return asyncio.run(asked())
        except (KubeconfigError, ReadError) as error:
            bad(str(error))

    def kubectl(self, *arguments: str) -> list[str]:
        """A kubectl command line for the same cluster."""
        file = ["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []
        context = ["--context", self.context] if self.context else []
        return ["kubectl", *file, *context, *arguments]

    def _default_namespace(self) -> str:
        file = str(self.kubeconfig) if self.kubeconfig else None
        try:
            contexts, active = list_kube_config_contexts(file)
        except (
            ConfigException,
            AttributeError,
            OSError,
            TypeError,
            ValueError,
            LookupError,
            yaml.YAMLError,
            RecursionError,
        ):
            # What is wrong with the file is reported when it is used.
            return "default"
        chosen = next((c for c in contexts if c["name"] == self.context), active)
        return str(chosen["context"].get("namespace") or "default")


def target_options(command: Callable[..., None]) -> Callable[..., None]:
    """--namespace, --kubeconfig and --context, as kubectl has them."""

    @click.option("-n", "--namespace", help="Namespace; the context's.")
    @click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file.")
    @click.option("--context", help="Context of the kubeconfig.")
    @functools.wraps(command)
    def with_target(
        kubeconfig: Path | None, context: str | None, namespace: str | None, **rest: Any
    ) -> None:
        command(Target(kubeconfig, context, namespace), **rest)

    return with_target


def bad(text: str) -> NoReturn:
    """End with a line on standard error."""
    print_line(f"kubectl-performer: {text}")
    sys.exit(BAD_INPUT)
