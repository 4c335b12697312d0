"""A simulated cluster served for as long as a `with` block lasts."""

import asyncio
import secrets
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from aiohttp import web

from hourglass_simulator.apiserver.users import AUTHENTICATED, named
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.certificates import Authority, base64_of
from hourglass_simulator.http.pace import Driver, Pace, StoppedError
from hourglass_simulator.http.server import Server
from hourglass_simulator.http.webhook_client import WebhookClient

CONTEXT = "simulator"
"""Name of the one cluster and the one context of the kubeconfig."""

Play = Callable[[Driver], None]
"""What is played on the cluster before its clock just runs on; it is called under the lock."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where the cluster is served; use `cluster` only under `lock`."""

    url: str
    server: Server
    cluster: Cluster
    driver: Driver
    lock: threading.RLock
    loop: asyncio.AbstractEventLoop
    """That of the server, in a thread of its own."""
    finished: threading.Event
    """Set when what was to be played has been played."""
    authority: Authority | None = None

    def write_kubeconfig(
        self, file: Path, user: str = "admin", authority: Path | None = None
    ) -> None:
        """Write a kubeconfig for a user, who is an admin unless it is a ServiceAccount.

        He is known by a certificate where there is an authority, else by a token that nobody can
        guess; both open /_simulator too. `authority`: file with the certificate by which the server
        is known.
        """
        known = {} if authority is None else {"certificate-authority": str(authority)}
        if self.authority is not None:
            known = {"certificate-authority-data": base64_of(self.authority.certificate)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": {"server": self.url, **known}}],
            "users": [{"name": user, "user": self._credentials(user)}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
            "current-context": CONTEXT,
        }
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")

    def drop_watches(self, resource: str) -> None:
        """End the watches of a resource with its group, as lost connections do."""
        self.loop.call_soon_threadsafe(self.server.drop_watches, resource)

    def _credentials(self, user: str) -> dict[str, str]:
        if self.authority is not None:
            groups = [each for each in named(user).groups if each != AUTHENTICATED]
            pair = self.authority.client(user, groups)
            certificate, key = base64_of(pair.certificate), base64_of(pair.key)
            return {"client-certificate-data": certificate, "client-key-data": key}
        token = secrets.token_urlsafe(32)
        self.server.router.authenticator.tokens[token] = named(user)
        return {"token": token}


@contextmanager
def served(
    cluster: Cluster,
    *,
    port: int = 0,
    speed: float = 1.0,
    play: Play | None = None,
    tls: ssl.SSLContext | None = None,
    authority: Authority | None = None,
    names: bool = True,
    webhook_services: Mapping[str, str] | None = None,
    failed: Callable[[], object] = lambda: None,
) -> Iterator[Served]:
    """Serve on 127.0.0.1 (port 0: any that is free), the clock running `speed` times as fast.

    Over HTTPS with the certificate of `tls`, or with one of the `authority`, whose clients'
    certificates are believed; over HTTP without either. `names`: a bearer token that is no other is
    taken for the name of an admin, and so is no token at all. `webhook_services`: where the
    webhooks of a Service are, NAMESPACE/NAME to HOST:PORT. `failed` is called when a component of
    the cluster, or what is played, has raised `driver.failure`: time passes no more.

    Errors: OSError when the port is taken.
    """
    lock = threading.RLock()
    cluster.control_flow()
    server = Server(cluster.api, lock, names=names)
    cluster.api.call_webhooks_by(WebhookClient(lock, webhook_services or {}))
    if authority is not None:
        tls = authority.context(authority.server("127.0.0.1"))
    driver = server.control.driver = Driver(cluster.clock, Pace(speed), lock, failed)
    # What components do with a change, they do during the call of the client that makes it.
    cluster.api.tell_of_failed_watchers(driver.fail)
    finished = threading.Event()

    def run() -> None:
        try:
            with lock:
                if play is not None:
                    play(driver)
                finished.set()
                driver.drive(float("inf"), lambda: False)
        except StoppedError:
            return
        except Exception as error:
            driver.fail(error)
            raise

    loop = asyncio.new_event_loop()
    serving = threading.Thread(target=loop.run_forever, name="http", daemon=True)
    serving.start()
    try:
        starting = asyncio.run_coroutine_threadsafe(_start(server, port, tls), loop)
        runner, bound = starting.result()
        driving = threading.Thread(target=run, name="clock", daemon=True)
        driving.start()
        try:
            url = f"{'https' if tls else 'http'}://127.0.0.1:{bound}"
            yield Served(url, server, cluster, driver, lock, loop, finished, authority)
        finally:
            driver.stop()
            driving.join()
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        serving.join()
        loop.close()


async def _start(
    server: Server, port: int, tls: ssl.SSLContext | None
) -> tuple[web.AppRunner, int]:
    # Watches are ended by the server itself; nothing else takes long.
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    bound: int = runner.addresses[0][1]
    return runner, bound
