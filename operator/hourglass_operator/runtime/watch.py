"""kopf as the watcher: it lists, watches and reconnects, and hands over every event.

Only `kopf.on.event` is used: other kopf handlers write annotations or finalizers. kopf runs in a
thread with an event loop of its own, because when it stops it cancels whatever it finds in its
loop (https://docs.kopf.dev/en/stable/embedding/), and starts again after errors that end it.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

import kopf
from kopf._cogs.structs.references import Insights
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory
from kubernetes.aio.client import Configuration

from hourglass_kube.types import JSON
from hourglass_operator.resources import names
from hourglass_operator.runtime.api import GROUP_VERSIONS

logger = logging.getLogger(__name__)

_OWN = f"{names.APP_LABEL}={names.APP}"

SELECTORS: Mapping[str, str] = {
    "nodes": "",
    "services": _OWN,
    "endpointslices": _OWN,
    "pods": _OWN,
    "performers": "",
}
"""What is watched, with the label selector that the API server applies."""

Deliver = Callable[[str, str | None, JSON], None]
"""(resource, ADDED, MODIFIED, DELETED or None for an object of a list, object)."""


class Watches:
    """Runs kopf until stopped; `deliver` is called in kopf's thread."""

    def __init__(
        self, configuration: Configuration, namespaces: Collection[str], deliver: Deliver
    ) -> None:
        self._configuration = configuration
        self._namespaces = namespaces
        self._deliver = deliver
        self._stop: Callable[[], object] = lambda: None
        self._thread: threading.Thread | None = None

    def start(self, ended: Callable[[str], None]) -> None:
        """Begin to watch; if kopf gives up, `ended` is called in its thread with the reason."""

        def run() -> None:
            try:
                asyncio.run(self._run())
            except Exception as error:
                ended(_words(error))
            else:
                ended("the watches ended")

        self._thread = threading.Thread(target=run, name="watches", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Stop watching; wait for it at most `timeout` seconds."""
        # The loop is closed if kopf has ended by itself.
        with contextlib.suppress(RuntimeError):
            self._stop()
        if self._thread is not None:
            self._thread.join(timeout)

    async def _run(self) -> None:
        # A flag of threads would be waited for in a thread, which would outlive the loop.
        flag, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.set_exception_handler(_heed)
        self._stop = lambda: loop.call_soon_threadsafe(flag.set)
        insights = Insights()
        looking = asyncio.create_task(_unserved(insights, flag))
        await kopf.operator(
            insights=insights,
            registry=self._registry(),
            settings=kopf_settings(),
            memories=_NoMemories(),
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=flag,
        )
        if looking.done() and (unserved := looking.result()):
            raise LookupError(f"the API server does not serve {', '.join(unserved)} yet")
        looking.cancel()

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.ConnectionInfo:
            return await credentials(self._configuration)

        for resource in SELECTORS:
            self._watch(registry, resource, *GROUP_VERSIONS[resource])
        return registry

    def _watch(
        self, registry: kopf.OperatorRegistry, resource: str, group: str, version: str
    ) -> None:
        @kopf.on.event(group, version, resource, registry=registry)
        async def hand_over(event: kopf.RawEvent, **_: Any) -> None:
            self._deliver(resource, event["type"], dict(event["object"]))


async def _unserved(insights: Insights, stop: asyncio.Event) -> list[str]:
    """What discovery lacks; kopf looks at it once, and would never watch that."""
    await insights.ready_resources.wait()
    served = {resource.plural for resource in insights.watched_resources}
    unserved = sorted(SELECTORS.keys() - served)
    if unserved:
        stop.set()
    return unserved


def _heed(loop: asyncio.AbstractEventLoop, context: JSON) -> None:
    # Stopped in the middle of a list, kopf leaves a generator that does not close without noise.
    if "asyncgen" in context:
        logger.debug("%s", context.get("message"))
    else:
        loop.default_exception_handler(context)


def kopf_settings() -> kopf.OperatorSettings:
    """kopf's settings: watch with selectors, write nothing, keep nothing."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.persistence.progress_storage = _NoProgress()
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.networking.error_backoffs = (0.5, 1, 2, 4, 8)
    # Whole objects are large: of a long list only this many are in memory at once.
    settings.watching.chunk_size = 100
    # A worker for each object, which holds the last one, is only needed while there are events.
    settings.queueing.idle_timeout = 0.01
    for resource, selector in SELECTORS.items():
        if selector:
            settings.watching.label_selectors[GROUP_VERSIONS[resource][0], resource] = selector
    return settings


async def credentials(configuration: Configuration) -> kopf.ConnectionInfo:
    """A connection in kopf's form, with the token of this moment."""
    token = await configuration.get_api_key_with_prefix("BearerToken")
    scheme, _, bare = (token or "").rpartition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        ca_data=configuration.ca_cert_data,
        insecure=not configuration.verify_ssl,
        scheme=scheme.title() or ("Bearer" if bare else None),
        token=bare or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        proxy_url=configuration.proxy,
    )


class _NoMemories(ResourceMemories):
    """kopf would keep a record of each object that it has ever shown."""

    async def recall(self, raw_body: Any, **kwargs: Any) -> ResourceMemory:
        return await super().recall(raw_body, **kwargs | {"ephemeral": True})


class _NoProgress(kopf.ProgressStorage):
    """Nothing is to be written on objects, nor looked for."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass

    def purge(self, **_: Any) -> None:
        pass

    def touch(self, **_: Any) -> None:
        pass

    def clear(self, *, essence: Any) -> Any:
        return essence


class _NoDiffBase(kopf.DiffBaseStorage):
    """Spares kopf a deep copy of each object of each event."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass


def _words(error: BaseException) -> str:
    """An exception of kopf's or aiohttp's as one line."""
    if isinstance(error, BaseExceptionGroup):
        return _words(error.exceptions[0])
    return " ".join(str(error.args[0] if error.args else error).split()) or type(error).__name__
