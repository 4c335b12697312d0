"""How to reach the API server: kubeconfig or the pod's service account."""

import contextlib
import logging
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config
from kubernetes.aio.config.config_exception import ConfigException
from yaml import YAMLError

logger = logging.getLogger(__name__)
_loader_logger = logging.getLogger("kubernetes.aio.config.kube_config")

_TOKEN_SECONDS = 60.0
"""After so long a kubeconfig is asked again for the token; client-go does the same with files."""
_RETRY_SECONDS = 10.0
"""After so long another try is made, where the token could not be had."""
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class KubeconfigError(ValueError):
    """There is no usable kubeconfig; the text says which file and what is wrong with it."""


async def connection(kubeconfig: Path | None, context: str | None) -> Configuration:
    """The configuration to connect with: the first of those that client-go tries too.

    The given file, the files in $KUBECONFIG, the pod's service account, ~/.kube/config. Raises
    KubeconfigError.
    """
    configuration = await _loaded(kubeconfig, context)
    # aiohttp would look for proxies and ~/.netrc at every call, in a thread each time.
    configuration.client_session_kwargs = {"trust_env": False}
    configuration.proxy = configuration.proxy or proxy_for(configuration.host)
    return configuration


def proxy_for(server: str) -> str | None:
    """The proxy that the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) names for a server."""
    url = urlsplit(server)
    if not url.hostname or proxy_bypass(url.hostname):
        return None
    return getproxies().get(url.scheme)


async def _loaded(kubeconfig: Path | None, context: str | None) -> Configuration:
    configuration = Configuration()
    # The controller has its own back-off; a retry below it would be a second one.
    configuration.retries = None
    named = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG", "")
    if not named and "KUBERNETES_SERVICE_HOST" in os.environ:
        try:
            load_incluster_config(configuration)
        except ConfigException as error:
            raise KubeconfigError(f"the pod's service account: {error}") from None
        return configuration
    file = named or str(Path("~/.kube/config").expanduser())
    if not any(Path(part).is_file() for part in file.split(os.pathsep)):
        hint = "" if named else " (nor is $KUBECONFIG set, nor is this a pod)"
        what = "not a file" if Path(file).exists() else "no such file"
        raise KubeconfigError(
            f"kubeconfig {file}: {what}{hint}; name one with --kubeconfig or $KUBECONFIG"
        )
    try:
        with _logged_errors() as errors:
            loader = await load_kube_config(
                file, context, client_configuration=configuration, persist_config=False
            )
    except ConfigException as error:
        raise KubeconfigError(f"kubeconfig {file}: {error}") from None
    except (OSError, ValueError, YAMLError, RecursionError) as error:
        what = " ".join(str(error).split())
        raise KubeconfigError(f"kubeconfig {file}: not a kubeconfig: {what}") from None
    except (TypeError, AttributeError, LookupError):
        # YAML, but of another shape than the loader takes for granted.
        raise KubeconfigError(
            f"kubeconfig {file}: not a kubeconfig, or the user of its context is not in it"
        ) from None
    user = loader._current_context["context"].safe_get("user")
    if user and loader._user is None:
        raise KubeconfigError(f'kubeconfig {file}: the user "{user}" of its context is not in it')
    if (mistake := _mistake(configuration)) is not None:
        raise KubeconfigError(f"kubeconfig {file}: {mistake}")
    if errors:
        raise KubeconfigError(
            f"kubeconfig {file}: no credentials from {_source(loader)}: {errors[0]}"
        )
    configuration.refresh_api_key_hook = _refreshed(loader)  # type: ignore[assignment]
    return configuration


def _refreshed(loader: Any) -> Callable[[Configuration], Awaitable[None]]:
    """Before each call: tokens of exec plugins and of files are read anew when they are old.

    What a plugin gave holds until it expires; a file may change at any time.
    """
    due = time.monotonic() + _TOKEN_SECONDS

    async def refresh(configuration: Configuration) -> None:
        nonlocal due
        if time.monotonic() < due:
            return
        # Other calls go on with the old token meanwhile, and for a while after a failure.
        due = time.monotonic() + _RETRY_SECONDS
        with contextlib.suppress(ConfigException, OSError, ValueError), _logged_errors() as errors:
            await loader.load_and_set(configuration)
            if not errors:
                due = time.monotonic() + _TOKEN_SECONDS
        for error in errors:
            logger.warning("no new credentials from %s: %s", _source(loader), error)

    return refresh


def _source(loader: Any) -> str:
    """The user of the kubeconfig and its command; arguments may hold secrets."""
    user, given = loader._current_context["context"]["user"], loader._user.value["exec"]
    command = (
        f" command {given['command']}" if isinstance(given, dict) and "command" in given else ""
    )
    return f'the exec{command} of user "{user}"'


@contextlib.contextmanager
def _logged_errors() -> Iterator[list[str]]:
    """What the loader logs as errors: of an exec command that fails it says no more than that."""
    errors: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        if record.levelno < logging.ERROR:
            return True
        errors.append(record.getMessage().removeprefix("exec: "))
        return False

    _loader_logger.addFilter(keep)
    try:
        yield errors
    finally:
        _loader_logger.removeFilter(keep)


def _mistake(configuration: Configuration) -> str | None:
    """What the loader takes and no connection can be made with."""
    try:
        url = urlsplit(configuration.host)
        usable = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        return f"the cluster's server: https://HOST:PORT is expected, found {configuration.host!r}"
    try:
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    except ssl.SSLError:
        return "the cluster's certificate-authority is no certificate"
    try:
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
    except ssl.SSLError:
        return "the user's client-certificate and client-key are none, or do not belong together"
    return None


def own_namespace() -> str:
    """The namespace of the pod that this process runs in; `default` outside of one."""
    if "POD_NAMESPACE" in os.environ:
        return os.environ["POD_NAMESPACE"]
    try:
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except OSError:
        return "default"
