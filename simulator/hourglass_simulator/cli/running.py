"""The cluster that `hourglass-sim serve` runs in another process, found by its kubeconfig."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import click
import urllib3
from kubernetes import client, config
from kubernetes.config import ConfigException

Command = TypeVar("Command", bound=Callable[..., Any])
_HOW = "expected the kubeconfig that `hourglass-sim serve` wrote, by --kubeconfig or KUBECONFIG"
_CONTROL = "/_simulator"
_SECONDS = 600.0
"""How long a call may take: hours of a cluster's time may have to pass in it."""


class RunningError(click.ClickException):
    """The cluster cannot be reached, or refuses; exit code 2."""

    exit_code = 2


def kubeconfig_option(command: Command) -> Command:
    """`--kubeconfig`, whose value is a path or None."""
    return click.option(
        "--kubeconfig",
        type=click.Path(path_type=Path),
        help="The file that `serve` has written; without it, that of KUBECONFIG.",
    )(command)


def call(
    kubeconfig: Path | None,
    method: str,
    *path: str,
    query: Mapping[str, str] | None = None,
    body: Any = None,
) -> Any:
    """What a call below /_simulator is answered with, None for nothing; raises RunningError."""
    configuration = client.Configuration()
    try:
        config.load_kube_config(
            None if kubeconfig is None else str(kubeconfig), client_configuration=configuration
        )
    except (ConfigException, OSError, ValueError) as error:
        raise RunningError(f"{_HOW}; {' '.join(str(error).split())}") from error
    # It is on this machine, and a call that has had an effect must not be made again.
    configuration.proxy, configuration.retries = None, False
    api = client.ApiClient(configuration)
    headers = {"Content-Type": "application/json"}
    api.update_params_for_auth(headers, [], ["BearerToken"], "", method, None)
    url = configuration.host + "/".join([_CONTROL, *(quote(part, safe="") for part in path)])
    try:
        answer = api.rest_client.pool_manager.request(
            method,
            f"{url}?{urlencode(query or {})}",
            headers=headers,
            body=json.dumps(body) if body is not None else None,
            timeout=_SECONDS,
            retries=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise RunningError(f"nothing is served at {configuration.host}: {error}") from error
    text = answer.data.decode(errors="replace").strip()
    if answer.status != 200:
        known = answer.headers.get("Content-Type", "").startswith("text/plain")
        if not known or text.startswith("404"):
            text = f"{configuration.host} is no cluster of `hourglass-sim serve`; {_HOW}"
        raise RunningError(text)
    return json.loads(text) if text else None
